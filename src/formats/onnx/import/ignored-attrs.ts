import type { OnnxAttr, OnnxNode } from '../model.ts';

/** Attribute of old exporters on inputs that may be overwritten; it does not affect results. */
const HARMLESS = new Set(['consumed_inputs']);

/** A node that records which attributes and inputs the importer reads, so that unread ones are refused. */
export interface Noted {
  readonly node: OnnxNode;
  /** An existing attribute or input that was not read. */
  readonly unread: () => string | undefined;
}

export function noted(node: OnnxNode): Noted {
  const attrs = new NotedAttrs(node.attrs);
  const read = new Set<string>();
  const inputs = new Proxy(node.inputs, {
    get(target, key, receiver): unknown {
      if (typeof key === 'string') read.add(key);
      return Reflect.get(target, key, receiver);
    },
  });
  const unread = (): string | undefined => {
    const attr = [...node.attrs.keys()].find((name) => !attrs.read.has(name) && !HARMLESS.has(name));
    if (attr !== undefined) return `its attribute ${attr}${valueOf(node.attrs.get(attr)!)}`;
    const input = node.inputs.findIndex((name, i) => name !== '' && !read.has(String(i)));
    return input < 0 ? undefined : `its input ${input + 1}, ${node.inputs[input]!},`;
  };
  return { node: { ...node, attrs, inputs }, unread };
}

class NotedAttrs extends Map<string, OnnxAttr> {
  readonly read = new Set<string>();

  constructor(attrs: ReadonlyMap<string, OnnxAttr>) {
    super();
    for (const [name, value] of attrs) super.set(name, value);
  }

  override get(name: string): OnnxAttr | undefined {
    this.read.add(name);
    return super.get(name);
  }
}

function valueOf({ type, value }: OnnxAttr): string {
  if (type === 'float' || type === 'int' || type === 'string') return ` (${String(value)})`;
  if (type === 'floats' || type === 'ints' || type === 'strings') return ` ([${value.slice(0, 8).join(', ')}])`;
  return '';
}
