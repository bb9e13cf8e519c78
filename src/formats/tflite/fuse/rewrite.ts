import type { Operation, Program } from '../lower/program.ts';

/** The program around an operation, as a rule sees it. */
export interface ProgramView {
  readonly program: Program;
  /** The operation that computes a value, if it is read nowhere else. */
  readonly only: (name: string) => Operation | undefined;
  readonly producer: (name: string) => Operation | undefined;
  /** True where `operation` is to stay in float and `into`, which would take it up, is not. */
  readonly isApart: (operation: Operation, into: Operation) => boolean;
  /** True where a dense layer whose scales are not known yet is to have one for all of its outputs. */
  readonly oneScale: boolean;
}

export type Limits = Pick<ProgramView, 'isApart' | 'oneScale'>;

const NONE: Limits = { isApart: () => false, oneScale: false };

/** Operations in the place of one. Earlier ones whose results nothing reads any more go by themselves. */
interface Rewrite {
  /** Operations that give the same results. */
  readonly insert?: readonly Operation[];
  /** A value that is read instead of the operation's output. */
  readonly same?: string;
}

export type FusionRule = (operation: Operation, view: ProgramView) => Rewrite | undefined;

/** Applies rules until none fits, a further one only where those before it fit nowhere. Each must leave fewer operations, or move one kind of operation one way. */
export function fuseProgram(
  program: Program,
  [first, ...others]: readonly [FusionRule, ...FusionRule[]],
  limits = NONE,
): void {
  const state = new Live(program);
  const view: ProgramView = {
    program,
    ...limits,
    producer: (name) => state.producers.get(name),
    only: (name) => (state.uses.get(name) === 1 ? state.producers.get(name) : undefined),
  };
  do while (pass(view, state, first, Infinity));
  while (others.some((rule) => pass(view, state, rule, 1)));
}

/** Applies a rule to the operations one after another, at most `most` times; true if it fitted anywhere. */
function pass(view: ProgramView, state: Live, rule: FusionRule, most: number): boolean {
  const { program } = view;
  let times = 0;
  const all: Operation[] = [];
  for (const given of program.operations) {
    const operation = state.current(given);
    const found = times < most ? rule(operation, view) : undefined;
    if (found === undefined) {
      all.push(operation);
      continue;
    }
    times++;
    const { insert = [], same } = found;
    state.replace(operation, insert, same);
    all.push(...insert);
  }
  if (times === 0) return false;
  state.instead.clear();
  program.operations = all.filter((operation) => !state.gone.has(operation));
  return true;
}

/** Producers of the values of a program and how many read each, kept up while its operations are replaced: thousands of passes may change one each. */
class Live {
  readonly producers: Map<string, Operation>;
  readonly uses: Map<string, number>;
  readonly gone = new Set<Operation>();
  /** Values that are read instead of others, by the operations that a pass has not come to yet. */
  readonly instead = new Map<string, string>();
  readonly #program: Program;

  constructor(program: Program) {
    // Operations that an earlier rule has left without a reader are no readers themselves.
    program.prune();
    this.#program = program;
    this.uses = program.uses();
    this.producers = program.producers();
  }

  /** The operation with what it reads now. */
  current(operation: Operation): Operation {
    if (this.instead.size === 0 || !operation.inputs.some((name) => this.instead.has(name))) return operation;
    const now = { ...operation, inputs: operation.inputs.map((name) => this.instead.get(name) ?? name) };
    for (const name of now.outputs) this.producers.set(name, now);
    return now;
  }

  replace(operation: Operation, insert: readonly Operation[], same: string | undefined): void {
    for (const one of insert) {
      for (const name of one.inputs) this.#use(name, 1);
      for (const name of one.outputs) this.producers.set(name, one);
    }
    if (same !== undefined) this.#readInstead(operation.outputs[0]!, same);
    this.#remove(operation);
  }

  #readInstead(from: string, to: string): void {
    this.instead.set(from, to);
    this.#use(to, this.uses.get(from) ?? 0);
    this.uses.set(from, 0);
    for (const [name, value] of this.#program.outputs) if (value === from) this.#program.outputs.set(name, to);
  }

  #use(name: string, times: number): void {
    this.uses.set(name, (this.uses.get(name) ?? 0) + times);
  }

  #remove(operation: Operation): void {
    this.gone.add(operation);
    for (const name of operation.inputs) {
      this.#use(name, -1);
      const producer = this.producers.get(name);
      if (producer === undefined || this.gone.has(producer)) continue;
      if (producer.outputs.every((output) => (this.uses.get(output) ?? 0) === 0)) this.#remove(producer);
    }
  }
}
