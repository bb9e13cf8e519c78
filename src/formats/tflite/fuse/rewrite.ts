import type { Operation, Program } from '../lower/program.ts';

/** The program around an operation, for rules. */
export interface ProgramView {
  readonly program: Program;
  /** Producer of a value that has a single reader. */
  readonly only: (name: string) => Operation | undefined;
  readonly producer: (name: string) => Operation | undefined;
  /** True if `operation` must stay in float and `into`, which would absorb it, must not. */
  readonly isApart: (operation: Operation, into: Operation) => boolean;
  /** True if dense layers without scales will get one for all of their outputs. */
  readonly oneScale: boolean;
}

export type Limits = Pick<ProgramView, 'isApart' | 'oneScale'>;

const NONE: Limits = { isApart: () => false, oneScale: false };

/** Replacement of an operation. Earlier operations without remaining readers are removed. */
interface Rewrite {
  /** Operations with the same results. */
  readonly insert?: readonly Operation[];
  /** A value to read instead of the operation's output. */
  readonly same?: string;
}

export type FusionRule = (operation: Operation, view: ProgramView) => Rewrite | undefined;

/**
 * Applies rules until none matches; a later rule only if no earlier one matches anywhere. Each must reduce the number of operations, or move one kind
 * of operation in one direction.
 */
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

/** Applies a rule to the operations in order, at most `most` times; true if it matched anywhere. */
function pass(view: ProgramView, state: Live, rule: FusionRule, most: number): boolean {
  const { program } = view;
  let times = 0;
  const all: Operation[] = [];
  for (const original of program.operations) {
    const operation = state.current(original);
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

/**
 * Producers and numbers of readers of a program's values, updated while operations are replaced: there may be thousands of passes that change one
 * operation each.
 */
class Live {
  readonly producers: Map<string, Operation>;
  readonly uses: Map<string, number>;
  readonly gone = new Set<Operation>();
  /** Replacements of values for operations that the current pass has not reached yet. */
  readonly instead = new Map<string, string>();
  readonly #program: Program;

  constructor(program: Program) {
    // Operations without readers, as left by an earlier rule, do not count as readers.
    program.prune();
    this.#program = program;
    this.uses = program.uses();
    this.producers = program.producers();
  }

  /** The operation with replaced inputs. */
  current(operation: Operation): Operation {
    if (this.instead.size === 0 || !operation.inputs.some((name) => this.instead.has(name))) return operation;
    const now = { ...operation, inputs: operation.inputs.map((name) => this.instead.get(name) ?? name) };
    for (const name of now.outputs) this.producers.set(name, now);
    return now;
  }

  replace(operation: Operation, insert: readonly Operation[], same: string | undefined): void {
    for (const inserted of insert) {
      for (const name of inserted.inputs) this.#use(name, 1);
      for (const name of inserted.outputs) this.producers.set(name, inserted);
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
