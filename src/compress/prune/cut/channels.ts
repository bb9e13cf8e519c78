/** One label per position of an axis; null for an axis that is not followed, e.g. height. */
export type AxisLabels = readonly number[] | null;
/** One entry per axis of a value. */
export type Labels = readonly AxisLabels[];

/** Part that an axis of a weight plays in the op that reads it. */
export type Role = 'out' | 'in' | 'depthwise' | 'scale' | 'offset' | 'other';

/** An axis of a weight: `labels[i]` is the channel that its position i belongs to. */
export interface WeightAxis {
  readonly weight: string;
  readonly axis: number;
  readonly labels: readonly number[];
  role: Role;
  /** The scale and the offset of a batch norm right behind the layer that makes the channels: they weigh all of them. */
  isGate?: boolean;
}

/**
 * Channels as sets of positions that can only be removed together. Every position of every axis of every weight starts as
 * a channel of its own; what an op needs to be equal is joined (union-find, Tarjan 1975). A channel with a reason stays.
 */
export class Channels {
  readonly axes: WeightAxis[] = [];
  readonly #parent: number[] = [];
  readonly #reasons = new Map<number, string>();
  readonly #axisOf = new Map<number, WeightAxis>();

  /** Channels that belong to no weight yet. */
  fresh(count: number): number[] {
    const first = this.#parent.length;
    const labels = Array.from({ length: count }, (_, i) => first + i);
    this.#parent.push(...labels);
    return labels;
  }

  weight(weight: string, shape: readonly number[]): Labels {
    return shape.map((size, axis) => {
      const entry: WeightAxis = { weight, axis, labels: this.fresh(size), role: 'other' };
      this.axes.push(entry);
      for (const label of entry.labels) this.#axisOf.set(label, entry);
      return entry.labels;
    });
  }

  /** Sets the role of the weight axes that introduced these labels; labels of other origin are ignored. */
  mark(labels: AxisLabels, role: Role): void {
    for (const label of labels ?? []) {
      const axis = this.#axisOf.get(label);
      if (axis !== undefined && axis.role === 'other') axis.role = role;
    }
  }

  /** Role of the weight axis that introduced these labels; undefined where none did. */
  roleOf(labels: AxisLabels): Role | undefined {
    return this.#axisOf.get(labels?.[0] ?? -1)?.role;
  }

  markGate(labels: AxisLabels): void {
    const axis = this.#axisOf.get(labels?.[0] ?? -1);
    if (axis !== undefined) axis.isGate = true;
  }

  find(label: number): number {
    let root = label;
    while (this.#parent[root] !== root) root = this.#parent[root]!;
    for (let at = label; at !== root;) [at, this.#parent[at]] = [this.#parent[at]!, root];
    return root;
  }

  join(a: AxisLabels, b: AxisLabels, reason: string): AxisLabels {
    if (a === null || b === null) {
      this.keep(a ?? b, reason);
      return null;
    }
    a.forEach((label, i) => this.#union(label, b[i]!));
    return a;
  }

  /** None of these channels may be removed. */
  keep(labels: AxisLabels, reason: string): void {
    for (const label of labels ?? []) {
      const root = this.find(label);
      if (!this.#reasons.has(root)) this.#reasons.set(root, reason);
    }
  }

  /** Reason why a channel must stay; undefined if it may be removed. */
  reason(label: number): string | undefined {
    return this.#reasons.get(this.find(label));
  }

  #union(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x === y) return;
    const [root, child] = x < y ? [x, y] : [y, x];
    this.#parent[child] = root;
    const reason = this.#reasons.get(root) ?? this.#reasons.get(child);
    this.#reasons.delete(child);
    if (reason !== undefined) this.#reasons.set(root, reason);
  }
}
