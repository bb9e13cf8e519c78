/** Which layer is being applied, so that nodes and messages can name it. */
const layers: string[] = [];

export function currentLayer(): string | undefined {
  return layers.length === 0 ? undefined : layers.join('/');
}

/** Everything recorded while `body` runs belongs to layer `name`. */
export function inLayer<T>(name: string, body: () => T): T {
  layers.push(name);
  try {
    return body();
  } finally {
    layers.pop();
  }
}

let depth = 0;

/** True while a program is being traced. */
export function isTracing(): boolean {
  return depth > 0;
}

export function whileTracing<T>(body: () => T): T {
  depth++;
  try {
    return body();
  } finally {
    depth--;
  }
}
