import type { Operation, Program } from '../lower/program.ts';

/** The program around an operation, as a rule sees it. */
export interface View {
  readonly program: Program;
  /** The operation that computes a value, if it is read nowhere else. */
  readonly only: (name: string) => Operation | undefined;
  readonly producer: (name: string) => Operation | undefined;
  /** True where `operation` is to stay in float and `into`, which would take it up, is not. */
  readonly isApart: (operation: Operation, into: Operation) => boolean;
  /** True where a dense layer whose scales are not known yet is to have one for all of its outputs. */
  readonly oneScale: boolean;
}

export type Limits = Pick<View, 'isApart' | 'oneScale'>;

const NONE: Limits = { isApart: () => false, oneScale: false };

interface Rewrite {
  /** Operations that take its place. */
  readonly insert?: readonly Operation[];
  /** Earlier operations that are not needed any more. */
  readonly remove?: readonly Operation[];
  /** A value that is read instead of the operation's output. */
  readonly same?: string;
}

export type Rule = (operation: Operation, view: View) => Rewrite | undefined;

/** Applies rules until none fits. Each rule must leave fewer operations, or move one kind of operation one way. */
export function rewrite(program: Program, rules: readonly Rule[], limits = NONE): void {
  while (rules.some((rule) => applyOnce(program, rule, limits)));
}

function applyOnce(program: Program, rule: Rule, limits: Limits): boolean {
  // What an earlier rule has left without a reader must not count as one.
  program.prune();
  const uses = program.uses();
  const producers = program.producers();
  const view: View = {
    program,
    ...limits,
    producer: (name) => producers.get(name),
    only: (name) => (uses.get(name) === 1 ? producers.get(name) : undefined),
  };
  for (const operation of program.operations) {
    const found = rule(operation, view);
    if (found === undefined) continue;
    const removed = new Set(found.remove);
    program.operations = program.operations.flatMap((other) => {
      if (other === operation) return found.insert ?? [];
      return removed.has(other) ? [] : [other];
    });
    if (found.same !== undefined) replace(program, operation.outputs[0]!, found.same);
    return true;
  }
  return false;
}

function replace(program: Program, from: string, to: string): void {
  program.operations = program.operations.map((operation) =>
    operation.inputs.includes(from)
      ? { ...operation, inputs: operation.inputs.map((name) => (name === from ? to : name)) }
      : operation,
  );
  for (const [name, value] of program.outputs) if (value === from) program.outputs.set(name, to);
}
