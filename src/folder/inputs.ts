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
 * A file, or a folder, as it was when the run began: size and time of it and of the files that belong to it, by their names from its folder,
 * and a hash of their content.
 */
const identitySchema = z.object({ stamps: stampsSchema, sha256: z.string() });

/** Files of models, stored logits and tokenizers of a teacher, by their keys in the recipe, and the data. */
const storedSchema = z.object({
  files: z.record(z.string(), identitySchema),
  /** Size and time of each file or folder, by its key. The hash is of the samples. */
  data: identitySchema.optional(),
});

type Identity = z.infer<typeof identitySchema>;
type Stored = z.infer<typeof storedSchema>;

type Warn = (message: string) => void;

/** Hash of all splits of the data as they were read. It passes over all samples. */
export type HashOfData = () => string;

/** Folder that has the notes, the folder that messages name, and the remedy for a changed file. */
interface Place {
  readonly home: string;
  /** Folder of the run, which has a copy of notes that are shared: it may be gone on with alone. */
  readonly own: string;
  readonly of: string;
  readonly remedy: string;
}

/**
 * Files that a recipe names, beside what they were when the run began, in `inputs.json` of its folder: a run that goes on with others would
 * mix what it has learnt from both. Sizes and times are compared first, and content where those differ.
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
    // prettier-ignore
    [this.#place, this.#named, this.#before, this.#stamps] = [place, named, before, stamps];
    this.#now = { files: {}, data: before?.data };
  }

  /** To be called before the data are read. `home`: folder that has the notes; `of`: that of all that several runs have made, where it is theirs. */
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
        ? `Bring back what was there, with its time, or remove ${of} and start its shards again.`
        : 'Bring back what was there, with its time, or add --fresh to start again with what is there now.';
    return new RunInputs({ home, own, of: of ?? home, remedy }, named, await storedInputs(home, warn), stamps);
  }

  /** `UserError` for a file of a model, stored logits or a tokenizer that is another one than when the run began. */
  async checkFiles(): Promise<void> {
    const files: Record<string, Identity> = {};
    for (const { keys, file } of this.#named.filter((one) => !isOfData(one))) {
      const key = keys.join('.');
      const before = this.#before?.files[key];
      const now = await identityOf(String(keys.at(-1)), file, before).catch(unreadable(file));
      // One that is gone is reported where it is opened.
      if (now !== undefined && before !== undefined && now.sha256 !== before.sha256)
        throw this.#refused(`${key}: ${file} is not the file that it was when this run began`);
      const kept = now ?? before;
      if (kept !== undefined) files[key] = kept;
    }
    this.#now = { ...this.#now, files };
  }

  /** Names in the recipe of the data whose sizes or times differ. Where there are none, the samples need not be looked at. */
  get touchedData(): readonly string[] {
    const { stamps = {} } = this.#before?.data ?? {};
    return this.#named
      .filter(isOfData)
      .map(({ keys }) => keys.join('.'))
      .filter((key) => key in stamps && key in this.#stamps && stamps[key] !== this.#stamps[key]);
  }

  /** `UserError` for samples that differ from the samples that the run began with. */
  checkData(hash: HashOfData): void {
    const before = this.#before?.data;
    if (before === undefined) {
      this.#now = { ...this.#now, data: { stamps: this.#stamps, sha256: hash() } };
      return;
    }
    const touched = this.touchedData;
    if (touched.length > 0 && hash() !== before.sha256) {
      const files = this.#named.filter(({ keys }) => touched.includes(keys.join('.'))).map(({ file }) => file);
      throw this.#refused(`${touched.join(', ')}: ${files.join(' or ')} gives other samples than when this run began`);
    }
    this.#now = { ...this.#now, data: { ...before, stamps: { ...before.stamps, ...this.#stamps } } };
  }

  /** True if there were notes that can be read. */
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

/**
 * `UserError` for a file or folder that a recipe names and that is not there or cannot be read: known before anything is made of the others.
 * `isRead`: of which keys the files are needed.
 */
export async function requireFiles(
  recipe: Recipe,
  isRead: (keys: readonly (string | number)[]) => boolean = () => true,
): Promise<void> {
  for (const { keys, file } of namedFiles(recipe).filter((one) => isRead(one.keys)))
    await access(file, constants.R_OK).catch(unreadable(`${keys.join('.')}: ${file}`));
}

/** Hash of the content of all files of the student, with those beside them; undefined for a student that is no file. */
export async function hashOfStudent(recipe: Recipe): Promise<string | undefined> {
  const named = namedFiles(recipe).filter(({ keys }) => keys[0] === 'student');
  const found = await Promise.all(named.map(({ keys, file }) => identityOf(String(keys.at(-1)), file, undefined)));
  const hashes = found.flatMap((one) => one?.sha256 ?? []);
  return hashes.length === 0 ? undefined : sha256(...hashes);
}

const isOfData = ({ keys }: ReturnType<typeof namedFiles>[number]): boolean => keys[0] === 'dataset';

/** The file as it is now; undefined where it, or what lay beside it, is not there. Its content is read where `before` does not tell. */
async function identityOf(key: string, file: string, before: Identity | undefined): Promise<Identity | undefined> {
  const folder = path.dirname(file);
  const own = path.basename(file);
  if (before !== undefined) {
    const names = Object.keys(before.stamps);
    const stamps = await stampsOf(folder, names);
    if (Object.entries(before.stamps).every(([name, stamp]) => stamps?.[name] === stamp)) return before;
    // Notes of older versions have not all the files that belong to it.
    const again = await identityIn(folder, names);
    if (again?.sha256 === before.sha256) return again;
  }
  return identityIn(folder, [own, ...(await namesBeside(key, file))]);
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

/** Undefined for a run of an older version, or whose file is damaged: it goes on with what there is. */
async function storedInputs(home: string, warn: Warn = () => undefined): Promise<Stored | undefined> {
  const file = path.join(home, INPUTS_FILE);
  if (!(await exists(file))) return undefined;
  const text = await readText(file);
  try {
    return storedSchema.parse(JSON.parse(text));
  } catch {
    warn(`${file}: damaged: nothing tells whether the data and the models are those that this run began with`);
    return undefined;
  }
}
