import type { StatedNames } from '../../recipe/stated-names.ts';

/** The answer of `GET v1/M/card`: description of a model. */
export interface Card {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly params: number;
  readonly precision: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly described?: Described;
  readonly batching: 'any' | 'fixed' | 'whole';
  readonly exact?: boolean;
  readonly maxBatch: number;
  readonly fixedMs: number;
  readonly perSampleMs: number;
  readonly notes: readonly string[];
  readonly recipe?: string;
  readonly report?: CardReport;
}

export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface Described extends StatedNames {
  readonly shape: readonly number[];
  readonly normalization?: {
    readonly scale: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  /** Pictures keep their proportions, with grey beside them. */
  readonly fit?: 'letterbox';
  /** Columns of a table by their names; `words`: the known words of a column of words; `date`: the parts of a date. */
  readonly columns?: readonly Readonly<{ name: string; words?: readonly string[]; date?: readonly string[] }>[];
  /** Number of texts of a sample, for a model that takes texts. */
  readonly text?: { readonly texts: 1 | 2 };
  /** Values a second, for a model that takes sounds. */
  readonly rate?: number;
}

interface Timed {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly setting: string;
}

interface Scored {
  readonly value: number;
  readonly text: string;
}

interface CardReport {
  readonly run: string;
  readonly id: string;
  readonly role: string;
  readonly macs: number | null;
  readonly score: { readonly name: string };
  readonly scored: Scored | null;
  readonly split: string;
  readonly cpu: string;
  readonly dataset: string;
  readonly latency?: Timed;
  readonly teacher?: { readonly scored: Scored | null; readonly sizeBytes: number; readonly latency?: Timed };
  readonly sameAsTeacher?: number;
  readonly verdict?: string;
}

/** A student before its teacher, as far as their runs tell; else in the order of the server. */
export function inOrder(cards: readonly Card[]): Card[] {
  const rank = ({ report }: Card): number => (report?.role === 'teacher' ? 1 : 0);
  return [...cards].sort((a, b) => rank(a) - rank(b));
}
