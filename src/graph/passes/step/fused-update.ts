/** The ops of optimizers that are computed number by number. `Identity` and `Reshape` compute nothing. */
const ARITHMETIC = ['Add', 'Sub', 'Multiply', 'RealDiv', 'Minimum', 'Maximum', 'Sqrt', 'Square', 'Neg'] as const;
export const UPDATE_OPS = [...ARITHMETIC, 'Identity', 'Reshape'] as const;
/** Beside them, the sum of every column of a value whose rows are along its last axis. */
export type UpdateOp = (typeof UPDATE_OPS)[number] | 'Sum';

/** A node that a fused update computes; its values have as many elements as the variables, one for each column, or one. */
export interface UpdateNode {
  readonly op: UpdateOp;
  readonly inputs: readonly string[];
  readonly output: string;
}

/** Computes the new contents of variables of one size, number by number, from their old contents and from other values. */
export interface FusedUpdate {
  readonly elements: number;
  /** Elements of a row; all elements where no node sums columns and no vector is read by rows. */
  readonly row: number;
  /** Values that are read number by number: variables, feeds, results of the rest of the graph, and values that one pass keeps for the next. */
  readonly vectors: readonly string[];
  /** Vectors among them whose rows lie apart: memory holds the address of each row. Then there are no columns. */
  readonly rowed: readonly string[];
  /** Values of one number for each column. */
  readonly columns: readonly string[];
  /** Values that are read as one number. */
  readonly scalars: readonly string[];
  readonly nodes: readonly UpdateNode[];
  /** The value that becomes the content of a variable. */
  readonly writes: ReadonlyMap<string, string>;
}

/** One loop over the numbers of an update, and then over the sums of its columns. */
export interface UpdatePass {
  /** Names of the values that the pass reads, and the vector that holds each. */
  readonly reads: ReadonlyMap<string, string>;
  /** Nodes that are computed for every number, in order. */
  readonly nodes: readonly UpdateNode[];
  /** Sums of columns over values of this pass. */
  readonly sums: readonly UpdateNode[];
  /** Nodes that are computed for every column after the sums. */
  readonly columns: readonly UpdateNode[];
  /** Vectors that the pass writes, and the name of the value that each receives. */
  readonly writes: readonly (readonly [vector: string, value: string])[];
}

export interface UpdatePlan {
  readonly passes: readonly UpdatePass[];
  /** Names of values with one number for each column, in the order in which they are stored. */
  readonly columns: readonly string[];
  /** Values that wait for a later pass in memory of their own: no variable is free for them. */
  readonly waiting: readonly string[];
}

/**
 * Passes of an update. What reads the sum of a column is computed in the pass after the sum. Until then a value waits in a variable that
 * gets its new content later and whose old content nothing reads any more.
 */
export function updatePasses({
  vectors,
  nodes,
  writes,
}: Pick<FusedUpdate, 'vectors' | 'nodes' | 'writes'>): UpdatePlan {
  const levels = new Map<string, number>();
  const columns = new Set<string>();
  const whole = new Set(vectors);
  for (const { op, inputs, output } of nodes) {
    const isColumn =
      op === 'Sum' || (inputs.some((name) => columns.has(name)) && !inputs.some((name) => whole.has(name)));
    const after = (name: string): number => (levels.get(name) ?? 0) + (!isColumn && columns.has(name) ? 1 : 0);
    levels.set(output, Math.max(...inputs.map(after)));
    (isColumn ? columns : whole).add(output);
  }
  const levelOf = (name: string): number => levels.get(name) ?? 0;
  const used = new Map<string, number>();
  const use = (name: string, level: number): void => void used.set(name, Math.max(used.get(name) ?? 0, level));
  for (const { inputs, output } of nodes) for (const name of inputs) if (whole.has(name)) use(name, levelOf(output));
  const written = new Map([...writes].map(([name, value]) => [name, Math.max(levelOf(value), used.get(name) ?? 0)]));
  for (const [name, value] of writes) use(value, written.get(name)!);

  const places = new Map<string, string>();
  const free = new Map(written);
  const waiting: string[] = [];
  for (const { output } of nodes) {
    const [level, last] = [levelOf(output), used.get(output) ?? 0];
    if (columns.has(output) || last <= level) continue;
    const place = [...free].find(([name, end]) => end >= last && (used.get(name) ?? 0) <= level)?.[0];
    if (place === undefined) waiting.push(output);
    else free.delete(place);
    places.set(output, place ?? output);
  }

  const passAt = (level: number): UpdatePass => {
    const own = nodes.filter(({ output }) => levelOf(output) === level);
    const isWhole = ({ output }: UpdateNode): boolean => whole.has(output);
    const sums = own.filter(({ op }) => op === 'Sum');
    const ended = [...writes].filter(([name]) => written.get(name) === level);
    const kept = own.flatMap(({ output }) => (places.has(output) ? [[places.get(output)!, output] as const] : []));
    const read = [
      ...[...own.filter(isWhole), ...sums].flatMap(({ inputs }) => inputs),
      ...ended.map(([, value]) => value),
    ];
    const made = new Set(own.map(({ output }) => output));
    const missing = read.filter((name) => whole.has(name) && !made.has(name));
    return {
      reads: new Map(missing.map((name) => [name, places.get(name) ?? name])),
      nodes: own.filter(isWhole),
      sums,
      columns: own.filter((node) => !isWhole(node) && node.op !== 'Sum'),
      writes: [...kept, ...ended],
    };
  };
  const count = 1 + Math.max(...levels.values());
  return { passes: Array.from({ length: count }, (_, level) => passAt(level)), columns: [...columns], waiting };
}
