import type { Node } from '../../graph/types.ts';
import { refuse } from './refusal.ts';

interface At {
  readonly position: number;
  readonly output: number;
}

/**
 * Unrolled recurrent layers over the same frames: nodes by the last frame that they depend on. Each step repeats the nodes of the step before, with
 * the values of that step in place of those of the step before it; the first steps may lack what is computed from zeros.
 */
export class Loop {
  readonly size: number;
  readonly stride: number;
  readonly depth: number;
  readonly #steps: Node[][];
  /** Parts of frames that are split: the split's first output and the frame. */
  readonly #parts = new Map<string, { readonly of: string; readonly step: number }>();
  #counterparts: ReadonlyMap<string, string> | undefined;

  constructor(size: number, stride: number, depth: number) {
    this.size = size;
    this.stride = stride;
    this.depth = depth;
    this.#steps = Array.from({ length: size }, () => []);
  }

  part(name: string, of: string, step: number): void {
    this.#parts.set(name, { of, step });
  }

  /** True for a frame. */
  isPart(name: string): boolean {
    return this.#parts.has(name);
  }

  /** The node of the last step but one that gives a value. */
  before(name: string): Node | undefined {
    return this.#steps.at(-2)?.find(({ outputs }) => outputs.includes(name));
  }

  /** Refuses a layer that begins with another state than zeros: its first step reads numbers that later ones do not. */
  expectZeroStart(isStill: (name: string) => boolean, zeros: ReadonlySet<string>): void {
    const later = new Set(this.#steps[2]!.flatMap(({ inputs }) => inputs));
    for (const node of this.#steps[0]!)
      if (node.inputs.some((name) => name !== '' && isStill(name) && !later.has(name) && !zeros.has(name)))
        refuse(node, 'begins with a state that was learned; expected zeros');
  }

  add(node: Node, step: number): void {
    this.#steps[step]!.push(node);
  }

  /**
   * For each value of the last step but one, the same value of the last step; none for what the last step has no reader of. Refuses layers whose
   * steps differ.
   */
  counterparts(isStill: (name: string) => boolean): ReadonlyMap<string, string> {
    this.#counterparts ??= this.#matched(isStill);
    return this.#counterparts;
  }

  #matched(isStill: (name: string) => boolean): ReadonlyMap<string, string> {
    const last = this.#steps.at(-1)!;
    const before = this.#steps.at(-2) ?? [];
    if (this.size < 4) return refuse(last[0] ?? before[0] ?? 'a recurrent layer', 'has fewer than four steps');
    const places = this.#steps.map(positions);
    const known = new Map<string, At>();
    const found = new Map<string, string>();
    let next = 0;
    for (const node of last) {
      const near = [known, places.at(-2)!, places.at(-3)!] as const;
      const position = before.findIndex(
        (other, i) => i >= next && this.#alike(node, other, this.size - 1, near, isStill),
      );
      if (position < 0) continue;
      next = position + 1;
      node.outputs.forEach((name, output) => {
        known.set(name, { position, output });
        found.set(before[position]!.outputs[output]!, name);
      });
    }
    for (let step = this.size - 2; step > 1; step--) {
      const [nodes, others] = [this.#steps[step]!, this.#steps[step - 1]!];
      const near = [places[step]!, places[step - 1]!, places[step - 2]!] as const;
      const odd = nodes.find((node, i) => {
        const other = others[i];
        // The second step may still lack what the zeros of the first one made superfluous.
        return step > 2 && (other === undefined || !this.#alike(node, other, step, near, isStill));
      });
      if (odd !== undefined) refuse(odd, `differs between the steps ${step} and ${step + 1}`);
    }
    return found;
  }

  #alike(
    a: Node,
    b: Node,
    step: number,
    [now, before, earlier]: readonly [Positions, Positions, Positions],
    isStill: (name: string) => boolean,
  ): boolean {
    if (a.op !== b.op || a.inputs.length !== b.inputs.length) return false;
    if (JSON.stringify(a.attrs) !== JSON.stringify(b.attrs)) return false;
    return a.inputs.every((x, i) => {
      const y = b.inputs[i]!;
      if (x === '' || isStill(x)) return x === y;
      const [part, other] = [this.#parts.get(x), this.#parts.get(y)];
      if (part !== undefined) return part.step === step && other?.step === step - 1 && part.of === other.of;
      return same(now.get(x), before.get(y)) || same(before.get(x), earlier.get(y));
    });
  }
}

type Positions = ReadonlyMap<string, At>;

function positions(nodes: readonly Node[]): Positions {
  return new Map(
    nodes.flatMap(({ outputs }, position) => outputs.map((name, output) => [name, { position, output }] as const)),
  );
}

function same(a: At | undefined, b: At | undefined): boolean {
  return a !== undefined && b !== undefined && a.position === b.position && a.output === b.output;
}
