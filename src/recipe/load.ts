import path from 'node:path';
import { shown, UserError } from '../base/errors.ts';
import type { Problem, ProposedChange } from '../base/errors.ts';
import { readUtf8 } from '../base/files.ts';
import { withoutGone } from './gone.ts';
import { complaintsOf } from './issues.ts';
import type { Complaint } from './issues.ts';
import { knownKeys } from './keys.ts';
import { applyOverride, parseOverride } from './overrides.ts';
import type { Override, RecipeChange } from './overrides.ts';
import { modelComplaints } from './models.ts';
import { withTaskDefaults } from './schema/task.ts';
import { withMinSteps } from './steps.ts';
import type { ModelTable } from './models.ts';
import { namedFiles, resolvePaths } from './paths.ts';
import { recipeSchema } from './schema.ts';
import type { Recipe } from './schema.ts';
import { parseSource, pathText, sourceText, valueAt } from './source.ts';
import type { RecipeSource, SourcePlace } from './source.ts';

export interface LoadedRecipe {
  /** With defaults, file names as written: stored as recipe.json and compared. */
  readonly written: Recipe;
  /** Folder that relative file names refer to. */
  readonly base: string;
  /** With defaults and absolute file names. */
  readonly recipe: Recipe;
}

/** Changes a recipe as written, whose relative paths refer to `base`; `fail` reports problems with their places. */
export type WithFolders = (data: unknown, base: string, fail: (complaints: readonly Complaint[]) => never) => unknown;

export interface RecipeOptions {
  /** Settings `key.path=value`, which override the file. */
  readonly set?: readonly RecipeChange[];
  /** Known models: with them, options of models are checked too. */
  readonly models?: ModelTable;
  /** Turns folders of models and of Parquet files into the keys that stand for them. */
  readonly withFolders?: WithFolders;
  /** Tests whether a file or folder exists; if given, missing paths in the recipe are reported. */
  readonly isThere?: (file: string) => boolean;
}

/** What a recipe with these data needs to be checked, loaded when the file has been read. */
export type RecipeParts = (data: unknown) => Promise<Pick<RecipeOptions, 'models' | 'withFolders'>>;

/** Reads, checks and completes a recipe. Throws a `UserError` with file, line, column and key of every problem. */
export async function loadRecipe(
  file: string,
  { partsFor, ...options }: RecipeOptions & { readonly partsFor?: RecipeParts } = {},
): Promise<LoadedRecipe> {
  refuseModelFile(file);
  const asWritten = readRecipe(await readUtf8(file), file, options.set);
  return completed(asWritten, file, { ...options, ...(await partsFor?.(asWritten.data)) });
}

/** `UserError` for a file of a model or of data in place of a recipe, which would be read as text. */
export function refuseModelFile(file: string): void {
  const [, ending] = /\.(onnx|keras|h5|tflite|npz|npy|csv|parquet|jsonl)$/i.exec(file) ?? [];
  if (ending !== undefined)
    throw new UserError(
      `${file}: expected a recipe (YAML), received a file that ends in .${ending}`,
      'Write a recipe that names the file; `limbeck init` asks for what it needs.',
      { kind: 'recipe' },
    );
}

export function parseRecipe(text: string, file: string, options: RecipeOptions = {}): LoadedRecipe {
  return completed(readRecipe(text, file, options.set), file, options);
}

/** A recipe as it is written, with the settings that override it. */
interface AsWritten {
  readonly source: RecipeSource;
  readonly overrides: readonly Override[];
  readonly data: unknown;
}

function readRecipe(text: string, file: string, set: readonly RecipeChange[] = []): AsWritten {
  const source = parseSource(text, file);
  if (typeof source.data !== 'object' || source.data === null || Array.isArray(source.data)) {
    throw new UserError(
      `${file}: expected a mapping of keys to values, received ${source.data === null ? 'an empty file' : shown(source.data)}`,
      'Run `limbeck init` to write a recipe to start from.',
      { kind: 'recipe' },
    );
  }
  const overrides = set.map(parseOverride);
  let data: unknown = { name: nameOf(file), ...source.data };
  for (const override of overrides) data = applyOverride(data, override);
  return { source, overrides, data };
}

function completed({ source, overrides, data }: AsWritten, file: string, options: RecipeOptions): LoadedRecipe {
  const fail = (complaints: readonly Complaint[]): never => report(complaints, source, overrides);
  const loaded = complete(data, path.dirname(path.resolve(file)), fail, options);
  const missing = missingFiles(loaded, options.isThere);
  return missing.length > 0 ? fail(missing) : loaded;
}

function missingFiles({ recipe }: LoadedRecipe, isThere: (file: string) => boolean = () => true): Complaint[] {
  return namedFiles(recipe).flatMap(({ keys, file }) =>
    isThere(file)
      ? []
      : [
          {
            path: keys,
            fact: `expected a file or folder that is there, received ${file}`,
            hint: 'Check the path; relative paths in a recipe start at the recipe file.',
          },
        ],
  );
}

/** Completes and checks a recipe built in code; relative file names refer to `base`. */
export function completeRecipe(
  data: unknown,
  base: string,
  models?: ModelTable,
  withFolders?: WithFolders,
): LoadedRecipe {
  return complete(data, base, (complaints) => report(complaints, undefined, []), { models, withFolders });
}

function complete(
  written: unknown,
  base: string,
  fail: (complaints: readonly Complaint[]) => never,
  { models, withFolders }: { [Key in 'models' | 'withFolders']?: RecipeOptions[Key] | undefined },
): LoadedRecipe {
  const given = withFolders === undefined ? written : withFolders(written, base, fail);
  const { recipe: data, complaints: ofGone } = withoutGone(given);
  const result = recipeSchema.safeParse(withMinSteps(withTaskDefaults(data)), { reportInput: true });
  if (!result.success) {
    const found = complaintsOf(result.error.issues, data, (keys) => knownKeys(keys, data));
    return fail([...ofGone, ...found.filter((complaint) => !ofGone.some((gone) => isOfGone(complaint, gone, given)))]);
  }
  const complaints = [...ofGone, ...(models === undefined ? [] : modelComplaints(result.data, models))];
  if (complaints.length > 0) return fail(complaints);
  return { written: result.data, base, recipe: resolvePaths(result.data, base) };
}

/** True for a complaint about a value around a removed key, or about a mapping that has the key alone: without the key it is another value. */
function isOfGone({ path: keys, key }: Complaint, gone: Complaint, data: unknown): boolean {
  const [full, inner] = [key === undefined ? keys : [...keys, key], [...gone.path, gone.key]];
  const isAlone = Object.keys(valueAt(data, gone.path) as object).length === 1;
  return full.every((part, i) => part === inner[i]) || (isAlone && gone.path.every((part, i) => part === full[i]));
}

const MOST_SHOWN = 5;

function report(
  complaints: readonly Complaint[],
  source: RecipeSource | undefined,
  overrides: readonly Override[],
): never {
  // A value can fail two checks for the same reason (safe integer, range): only the first is reported.
  const kept = complaints.filter(
    ({ path: keys, key }, i) =>
      complaints.findIndex((other) => other.key === key && String(other.path) === String(keys)) === i,
  );
  const changes: ProposedChange[] = [];
  const problems = kept.map((complaint): Problem => {
    const full = complaint.key === undefined ? complaint.path : [...complaint.path, complaint.key];
    const name = pathText(full);
    const place = placeOf(complaint, source, overrides);
    const message = `${placeText(place)} ${name || 'the recipe'}: ${complaint.fact}`.trimStart();
    const isInFile = place !== undefined && 'file' in place;
    if (isInFile) changes.push(...(complaint.changes ?? []));
    const at = isInFile ? place : { file: null, line: null, column: null };
    return { ...at, key: name || null, message, hint: complaint.hint };
  });
  const lines = problems.slice(0, MOST_SHOWN).map(({ message }) => message);
  if (kept.length > MOST_SHOWN) lines.push(`... and ${kept.length - MOST_SHOWN} more`);
  const hints = [...new Set(kept.slice(0, MOST_SHOWN).map((complaint) => complaint.hint))];
  throw new UserError(lines.join('\n'), hints.length > 2 ? `${hints.slice(0, 2).join(' ')} ...` : hints.join(' '), {
    kind: 'recipe',
    problems,
    changes,
  });
}

/** Position in a file, or an option of the command line. */
type RecipePlace = SourcePlace | { readonly option: string };

function placeText(place: RecipePlace | undefined): string {
  if (place === undefined) return '';
  return 'option' in place ? `${place.option}:` : sourceText(place);
}

function placeOf(
  { path: keys, key }: Complaint,
  source: RecipeSource | undefined,
  overrides: readonly Override[],
): RecipePlace | undefined {
  const full = key === undefined ? keys : [...keys, key];
  const isWithin = (inner: readonly unknown[], outer: readonly unknown[]): boolean =>
    outer.every((part, i) => part === inner[i]);
  // If an override replaced a single value of the file by a mapping, the problem belongs to the override.
  const isSplit = typeof valueAt(source?.data, full) !== 'object';
  const override = overrides.findLast(
    ({ path: set }) => isWithin(full, set) || ((key !== undefined || isSplit) && isWithin(set, full)),
  );
  if (override !== undefined) return { option: override.text };
  return source?.locate(keys, key);
}

function nameOf(file: string): string {
  const name = path.basename(file).replace(/\.(ya?ml|json)$/i, '');
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'run';
}
