import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import type { Figures } from '../base/events.ts';
import { exists, readText, writeFileAtomic } from '../base/files.ts';

/** One completed stage. */
export interface LedgerRow {
  readonly stage: string;
  readonly seconds: number;
  readonly figures: Figures;
  /** Whatever else the report says about the stage. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/**
 * The completed stages of a run, in `ledger.json`. It holds nothing that the saved states do not lead to again, so a
 * damaged ledger costs the time of measuring, nothing else.
 */
export class Ledger {
  readonly #file: string;
  readonly #rows: LedgerRow[];

  private constructor(file: string, rows: LedgerRow[]) {
    this.#file = file;
    this.#rows = rows;
  }

  static async open(runFolder: string, warn: (message: string) => void): Promise<Ledger> {
    const file = path.join(runFolder, 'ledger.json');
    if (!(await exists(file))) return new Ledger(file, []);
    const rows = parse(await readText(file));
    if (rows === undefined)
      warn(`${file}: damaged: its checksum does not fit its content; the stages are checked again`);
    return new Ledger(file, rows ?? []);
  }

  get rows(): readonly LedgerRow[] {
    return this.#rows;
  }

  /** Working time of all stages. */
  get seconds(): number {
    return this.#rows.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  find(stage: string): LedgerRow | undefined {
    return this.#rows.find((row) => row.stage === stage);
  }

  async add(row: LedgerRow): Promise<void> {
    const at = this.#rows.findIndex(({ stage }) => stage === row.stage);
    if (at < 0) this.#rows.push(row);
    else this.#rows[at] = row;
    const text = JSON.stringify(this.#rows);
    await writeFileAtomic(this.#file, `${JSON.stringify({ sha256: sha256(text), rows: this.#rows }, null, 2)}\n`);
  }
}

function parse(text: string): LedgerRow[] | undefined {
  try {
    const { sha256: claimed, rows } = JSON.parse(text) as { sha256: string; rows: LedgerRow[] };
    return sha256(JSON.stringify(rows)) === claimed ? rows : undefined;
  } catch {
    return undefined;
  }
}
