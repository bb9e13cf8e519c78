/** A module loader's hook: puts a line into functions of compiled modules, so that a part of src/ does nothing. */
export interface Swap {
  /** Path below src/, without its ending. */
  readonly file: string;
  /** Text of the compiled module, behind which `insert` goes. */
  readonly after: string;
  readonly insert: string;
}

interface Loaded {
  readonly format: string;
  readonly source: string | Uint8Array;
}

let swaps: readonly Swap[] = [];

export function initialize(given: readonly Swap[]): void {
  swaps = given;
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await next(url, context);
  const wanted = swaps.filter(({ file }) => url.endsWith(`/src/${file}.js`));
  if (wanted.length === 0) return loaded;
  const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
  const source = wanted.reduce((all, { file, after, insert }) => {
    if (!all.includes(after)) throw new Error(`${file}: no "${after}"`);
    return all.replace(after, () => after + insert);
  }, text);
  return { ...loaded, source };
}
