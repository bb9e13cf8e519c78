import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { asUserError, exists, readText, writeFileAtomic } from '../base/files.ts';
import { contentHash, namesBeside, stampOf } from '../files/identity.ts';
import { namedFiles } from '../recipe/paths.ts';
import type { Recipe } from '../recipe/schema.ts';
import { z } from 'zod';

export const INPUTS_FILE = 'inputs.json';

const stampsSchema = z.record(z.string(), z.string());

/**
 * A file or folder when the run began: size and time of it and of the files that belong to it, by their names relative to its folder, and a hash of
 * their content.
 */
const identitySchema = z.object({ stamps: stampsSchema, sha256: z.string() });

/** A teacher's model files, stored logits and tokenizers, by their keys in the recipe, and the data. */
const storedSchema = z.object({
  files: z.record(z.string(), identitySchema),
  /** Size and time of each file or folder, by its key. The hash is of the samples. */
  data: identitySchema.optional(),
});

type Identity = z.infer<typeof identitySchema>;
type Stored = z.infer<typeof storedSchema>;

type Warn = (message: string) => void;

/** Hash of all splits of the data. Computing it reads all samples. */
export type HashOfData = () => string;

/** Folder of the notes, folder for messages, and remedy for a changed file. */
interface Place {
  readonly home: string;
  /** Folder of the run. It gets a copy of shared notes, because it may be resumed alone. */
  readonly own: string;
  readonly of: string;
  readonly remedy: string;
}

/**
 * The files that a recipe names, compared with their state when the run began, which `inputs.json` records: resuming with other files would mix what
 * was learned from both. Sizes and times are compared first, content only if they differ.
 */
export class RunInputs {
  readonly #place: Place;
  readonly #named: ReturnType<typeof namedFiles>;
  readonly #before: Stored | undefined;
  readonly #stamps: Readonly<Record<string, string>>;
  #now: Stored;

  private constructor(
    place: Place,
    named: ReturnType<typeof namedFiles>,
    before: Stored | undefined,
    stamps: Readonly<Record<string, string>>,
  ) {
    [this.#place, this.#named, this.#before, this.#stamps] = [place, named, before, stamps];
    this.#now = { files: {}, data: before?.data };
  }

  /** Must be called before the data are read. `home`: folder of the notes; `of`: folder of the runs that share them, if any. */
  static async open(
    home: string,
    recipe: Recipe,
    { own = home, of, warn }: { readonly own?: string; readonly of?: string | undefined; readonly warn: Warn },
  ): Promise<RunInputs> {
    const stamps: Record<string, string> = {};
    const named = namedFiles(recipe);
    for (const { keys, file } of named.filter(isOfData)) {
      const stamp = await stampOf(file).catch(unreadable(file));
      if (stamp !== undefined) stamps[keys.join('.')] = stamp;
    }
    const remedy =
      of !== undefined
        ? `Restore the old files with their times, or remove ${of} and start its shards again.`
        : 'Restore the old files with their times, or add --fresh to start again with the present ones.';
    return new RunInputs({ home, own, of: of ?? home, remedy }, named, await storedInputs(home, warn), stamps);
  }

  /** `UserError` for model files, stored logits or tokenizers that have changed since the run began. */
  async checkFiles(): Promise<void> {
    const files: Record<string, Identity> = {};
    for (const { keys, file } of this.#named.filter((one) => !isOfData(one))) {
      const key = keys.join('.');
      const before = this.#before?.files[key];
      const now = await identityOf(String(keys.at(-1)), file, before).catch(unreadable(file));
      // A missing file is reported when it is opened.
      if (now !== undefined && before !== undefined && now.sha256 !== before.sha256)
        throw this.#refused(`${key}: ${file} has changed since this run began`);
      const kept = now ?? before;
      if (kept !== undefined) files[key] = kept;
    }
    this.#now = { ...this.#now, files };
  }

  /** Recipe keys of the data whose sizes or times differ. If there are none, the samples need not be read. */
  get touchedData(): readonly string[] {
    const { stamps = {} } = this.#before?.data ?? {};
    return this.#named
      .filter(isOfData)
      .map(({ keys }) => keys.join('.'))
      .filter((key) => key in stamps && key in this.#stamps && stamps[key] !== this.#stamps[key]);
  }

  /** `UserError` for samples that have changed since the run began. */
  checkData(hash: HashOfData): void {
    const before = this.#before?.data;
    if (before === undefined) {
      this.#now = { ...this.#now, data: { stamps: this.#stamps, sha256: hash() } };
      return;
    }
    const touched = this.touchedData;
    if (touched.length > 0 && hash() !== before.sha256) {
      const files = this.#named.filter(({ keys }) => touched.includes(keys.join('.'))).map(({ file }) => file);
      throw this.#refused(
        `${touched.join(', ')}: ${files.join(' or ')} gives other samples than at the beginning of this run`,
      );
    }
    this.#now = { ...this.#now, data: { ...before, stamps: { ...before.stamps, ...this.#stamps } } };
  }

  /** True if readable notes exist. */
  get areNoted(): boolean {
    return this.#before !== undefined;
  }

  /** Saves the hashes for the next start. */
  async save(): Promise<void> {
    const text = textOf(this.#now);
    const { home, own } = this.#place;
    if (this.#before === undefined || textOf(this.#before) !== text)
      await writeFileAtomic(path.join(home, INPUTS_FILE), text);
    if (own !== home) await writeFileAtomic(path.join(own, INPUTS_FILE), text);
  }

  #refused(fact: string): UserError {
    return new UserError(`${this.#place.of}: ${fact}`, this.#place.remedy);
  }
}

/** `UserError` for a file or folder in the recipe that is missing or unreadable, before any result is made. `isRead`: keys whose files are needed. */
export async function requireFiles(
  recipe: Recipe,
  isRead: (keys: readonly (string | number)[]) => boolean = () => true,
): Promise<void> {
  for (const { keys, file } of namedFiles(recipe).filter((one) => isRead(one.keys)))
    await access(file, constants.R_OK).catch(unreadable(`${keys.join('.')}: ${file}`));
}

/** Hash of the student's model files and the files that belong to them; undefined for a student that is no file. */
export async function hashOfStudent(recipe: Recipe): Promise<string | undefined> {
  const named = namedFiles(recipe).filter(({ keys }) => keys[0] === 'student');
  const found = await Promise.all(named.map(({ keys, file }) => identityOf(String(keys.at(-1)), file, undefined)));
  const hashes = found.flatMap((one) => one?.sha256 ?? []);
  return hashes.length === 0 ? undefined : sha256(...hashes);
}

const isOfData = ({ keys }: ReturnType<typeof namedFiles>[number]): boolean => keys[0] === 'dataset';

/** The present identity of a file; undefined if it or a file beside it is missing. Content is read only if `before` does not match. */
async function identityOf(key: string, file: string, before: Identity | undefined): Promise<Identity | undefined> {
  const folder = path.dirname(file);
  const fileName = path.basename(file);
  if (before !== undefined) {
    const names = Object.keys(before.stamps);
    const stamps = await stampsOf(folder, names);
    if (Object.entries(before.stamps).every(([name, stamp]) => stamps?.[name] === stamp)) return before;
    // Notes of older versions lack some of the files that belong to it.
    const again = await identityIn(folder, names);
    if (again?.sha256 === before.sha256) return again;
  }
  return identityIn(folder, [fileName, ...(await namesBeside(key, file))]);
}

async function identityIn(folder: string, names: readonly string[]): Promise<Identity | undefined> {
  const stamps = await stampsOf(folder, names);
  if (stamps === undefined) return undefined;
  const hashes: string[] = [];
  for (const name of names) hashes.push(await contentHash(path.join(folder, name)));
  return { stamps, sha256: sha256(hashes.join('\n')) };
}

async function stampsOf(folder: string, names: readonly string[]): Promise<Record<string, string> | undefined> {
  const stamps: Record<string, string> = {};
  for (const name of names) {
    const stamp = await stampOf(path.join(folder, name));
    if (stamp === undefined) return undefined;
    stamps[name] = stamp;
  }
  return stamps;
}

function unreadable(file: string): (error: unknown) => never {
  return (error) => {
    throw asUserError(error, file, 'read');
  };
}

function textOf(inputs: Stored): string {
  return `${JSON.stringify(inputs, null, 2)}\n`;
}

/** Undefined for a run of an older version or a damaged file: the run continues without a comparison. */
async function storedInputs(home: string, warn: Warn = () => undefined): Promise<Stored | undefined> {
  const file = path.join(home, INPUTS_FILE);
  if (!(await exists(file))) return undefined;
  const text = await readText(file);
  try {
    return storedSchema.parse(JSON.parse(text));
  } catch {
    warn(`${file}: damaged: whether data and models have changed since this run began is unknown`);
    return undefined;
  }
}
