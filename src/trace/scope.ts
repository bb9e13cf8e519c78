/** Layers that are being applied, innermost last, for names of nodes and messages. */
const layers: string[] = [];

export function currentLayer(): string | undefined {
  return layers.length === 0 ? undefined : layers.join('/');
}

/** Result of `body`; everything recorded meanwhile belongs to layer `name`. */
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
