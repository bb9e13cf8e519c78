/**
 * A mistake in the user's input: a recipe, a file, an option. It is printed as two lines (fact with the received value, then the remedy), without a
 * stack, and the process ends with exit code 1. Any other error is our bug.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly hint: string;
  readonly kind: 'usage' | 'recipe' | 'input';
  /** The single mistakes, if the message describes several. */
  readonly problems: readonly Problem[];
  /** Changes of the recipe that carry out the hint; empty if it is not that definite. */
  readonly changes: readonly ProposedChange[];

  constructor(
    message: string,
    hint: string,
    { cause, kind = 'input', problems = [], changes = [] }: UserErrorOptions = {},
  ) {
    super(printable(message), cause === undefined ? undefined : { cause });
    this.hint = printable(hint);
    this.kind = kind;
    this.problems = problems;
    this.changes = changes;
  }
}

/**
 * Escapes control characters and characters that change the direction of text, because names from damaged files may contain anything. Line breaks
 * stay, because messages contain them.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this function escapes
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (letter) => {
    const code = letter.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });
}

export interface UserErrorOptions {
  readonly cause?: unknown;
  /** Input with the mistake: the command line, the recipe, or another. */
  readonly kind?: UserError['kind'];
  readonly problems?: readonly Problem[];
  readonly changes?: readonly ProposedChange[];
}

/** A value to set in a recipe (undefined: the key is taken out), or another name for a key. */
export type ProposedChange =
  | { readonly path: readonly (string | number)[]; readonly value: unknown }
  | { readonly path: readonly (string | number)[]; readonly rename: string };

/** Changes that set the keys of a mapping at `path`. */
export function settingKeys(keys: object, path: readonly (string | number)[] = []): ProposedChange[] {
  return Object.entries(keys).map(([key, value]: [string, unknown]) => ({ path: [...path, key], value }));
}

/** Result of `use`; changes proposed by its errors are moved under a key of the recipe, except changes of the data. */
export async function underKey<T>(keys: readonly (string | number)[], use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof UserError) || error.changes.length === 0) throw error;
    const { message, hint, kind, problems, cause } = error;
    const changes = error.changes.map((change) =>
      change.path[0] === 'dataset' ? change : { ...change, path: [...keys, ...change.path] },
    );
    throw new UserError(message, hint, { cause, kind, problems, changes });
  }
}

/** A mistake and its position, as far as known; lines and columns from 1. */
export interface Problem {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** Key of a recipe, such as `distill.epochs`. */
  readonly key: string | null;
  readonly message: string;
  readonly hint: string;
}

/** The run was told to stop (Ctrl-C or an AbortSignal) and has saved its state. Exit code 130, or 143 after SIGTERM. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** A value for an error message: short, on one line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = json(value);
  return clipped(text);
}

/** A name from a file, shortened for a message. */
export function clipped(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Result of `use`; prefixes its errors with the name of the file. */
export function atFile<T>(file: string | undefined, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof UserError) || file === undefined) throw error;
    throw new UserError(`${file}: ${error.message}`, error.hint, { cause: error, changes: error.changes });
  }
}

/** A word of a command for copying: quoted if a shell would split it. */
export function inShell(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word.replace(/(["$`])/g, '\\$1')}"`;
}

function json(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return 'a value that holds itself';
  }
}

/** Candidate with the smallest edit distance to `word`, if small enough for a typing error. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // With three letters, two differences make another word.
  let bestDistance = (word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Number of characters to insert, delete, replace or swap with their neighbour (Damerau 1964; no character is changed twice). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  let before: number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1, isSwapped ? before[j - 2]! + 1 : Infinity));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

/** First line of a library's error message. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!.slice(0, 300);
}
