import { sha256 } from '../../base/bytes.ts';
import type { StageFigures } from '../../base/events.ts';
import { exists, readText, writeFileAtomic } from '../../base/files.ts';
import { epochRecord } from '../../train/epoch-record.ts';
import type { StoredEpoch } from '../../train/epoch-record.ts';
import { ownFile } from '../own-file.ts';

/** A completed stage. */
export interface LedgerRow {
  readonly stage: string;
  /** Seconds of the stage's work; for a training over all starts, including work taken over from other runs. */
  readonly seconds: number;
  readonly figures: StageFigures;
  /** Everything else that the report says about the stage. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/**
 * The completed stages of a run, in `ledger.json`, and the time of every stage over all starts. Everything but these times follows from the saved
 * states, so a damaged ledger costs only measurements.
 */
export class Ledger {
  readonly #file: string;
  readonly #rows: LedgerRow[];
  readonly #times: Map<string, number>;

  private constructor(file: string, { rows, times }: Content) {
    [this.#file, this.#rows, this.#times] = [file, [...rows], new Map(times)];
  }

  static async open(runFolder: string, warn: (message: string) => void): Promise<Ledger> {
    const file = await ownFile(runFolder, 'ledger.json');
    const nothing = { rows: [], times: [] };
    if (!(await exists(file))) return new Ledger(file, nothing);
    const content = parse(await readText(file));
    if (content === undefined) {
      warn(`${file}: damaged: its checksum is wrong; the stages are checked again, and the time so far is not counted`);
    }
    return new Ledger(file, content ?? nothing);
  }

  get rows(): readonly LedgerRow[] {
    return this.#rows;
  }

  /** Seconds of each stage, completed or not, in the order of their first start. */
  get times(): ReadonlyMap<string, number> {
    return this.#times;
  }

  /** Working time of all stages. */
  get seconds(): number {
    return [...this.#times.values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  find(stage: string): LedgerRow | undefined {
    return this.#rows.find((row) => row.stage === stage);
  }

  /** Adds elapsed time; `save` or `add` writes it. */
  count(times: ReadonlyMap<string, number>): void {
    for (const [stage, seconds] of times) this.#times.set(stage, (this.#times.get(stage) ?? 0) + seconds);
  }

  async add(row: LedgerRow): Promise<void> {
    const at = this.#rows.findIndex(({ stage }) => stage === row.stage);
    if (at < 0) this.#rows.push(row);
    else this.#rows[at] = row;
    await this.save();
  }

  async save(): Promise<void> {
    const content = { rows: this.#rows, times: [...this.#times] };
    await writeFileAtomic(this.#file, `${JSON.stringify({ sha256: checksum(content), ...content }, null, 2)}\n`);
  }
}

interface Content {
  readonly rows: readonly LedgerRow[];
  readonly times: readonly (readonly [stage: string, seconds: number])[];
}

function checksum(content: Content | readonly LedgerRow[]): string {
  return sha256(JSON.stringify(content));
}

/** Older ledgers have only the times of their rows, and call the score accuracy. */
function parse(text: string): Content | undefined {
  try {
    const { sha256: claimed, rows, times } = JSON.parse(text) as { sha256: string } & Content;
    if (times !== undefined)
      return checksum({ rows, times }) === claimed ? { rows: rows.map(withScore), times } : undefined;
    if (checksum(rows) !== claimed) return undefined;
    return { rows: rows.map(withScore), times: rows.map(({ stage, seconds }) => [stage, seconds]) };
  } catch {
    return undefined;
  }
}

function withScore(row: LedgerRow): LedgerRow {
  const { accuracy, ...figures } = row.figures as StageFigures & { readonly accuracy?: StageFigures['score'] };
  const { epochs } = row.notes as { readonly epochs?: readonly StoredEpoch[] };
  return {
    ...row,
    figures: { ...figures, ...(accuracy !== undefined && { score: accuracy }) },
    notes: { ...row.notes, ...(Array.isArray(epochs) && { epochs: epochs.map(epochRecord) }) },
  };
}
