/** Elements of a page outside of a browser; imported before modules of the page, which look for `document` when they are loaded. */
export class FakeElement {
  readonly tag: string;
  readonly attributes = new Map<string, string>();
  readonly children: (FakeElement | string)[] = [];
  readonly style = {
    setProperty: (name: string, value: string): void => void this.attributes.set(`style ${name}`, value),
  };
  /** Calls of the canvas. */
  readonly drawn: (readonly [method: string, ...values: unknown[]])[] = [];

  constructor(tag: string) {
    this.tag = tag;
  }

  get width(): number {
    return Number(this.attributes.get('width'));
  }

  get height(): number {
    return Number(this.attributes.get('height'));
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  append(...children: (FakeElement | string)[]): void {
    this.children.push(...children);
  }

  getContext(): object {
    const { drawn, width, height } = this;
    const values: Record<string, unknown> = {};
    const data = new Uint8ClampedArray(4 * width * height);
    return new Proxy(values, {
      get: (_, method: string) =>
        method === 'canvas'
          ? this
          : (...given: unknown[]) => {
              drawn.push([method, ...given]);
              return { data };
            },
    });
  }

  /** All texts, one after another. */
  get text(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join(' ');
  }
}

Object.assign(globalThis, { document: { createElement: (tag: string) => new FakeElement(tag) } });

/** Elements as these stand-ins. */
export function fakes(elements: readonly object[]): readonly FakeElement[] {
  return elements as readonly FakeElement[];
}
