import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { shown, UserError } from '../base/errors.ts';
import { asUserError, exists } from '../base/files.ts';
import { isNamedAsOnnx } from '../files/as-onnx.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';

/** A model that can be loaded. */
export interface Source {
  readonly name: string;
  readonly file: string;
  /** Sizes of inputs that the file leaves open. */
  readonly shapes?: InputShapes;
}

/** Models that a server can load: files that are named one by one, and those that lie in folders, now or later. */
export interface Sources {
  readonly named: readonly Source[];
  readonly folders: readonly string[];
}

/** Names are parts of addresses and labels of metrics. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * `model.onnx`, `model.keras`, `name=model.onnx`, a folder of .onnx files, or a run: its distilled student, or `run:id` for another model of
 * its report. `out` holds the folders of runs; `warn` is told of a model whose twin is better.
 */
export async function sourcesOf(
  args: readonly string[],
  out: string,
  warn: (message: string) => void = () => undefined,
): Promise<Sources> {
  const named: Source[] = [];
  const folders: string[] = [];
  for (const arg of args) {
    const [, name, rest = arg] = /^([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.+)$/.exec(arg) ?? [];
    const found = await stat(rest).catch(() => undefined);
    const isFolder = found?.isDirectory() === true && !(await exists(path.join(rest, 'recipe.json')));
    if (isFolder) await refuseAmbiguous(rest, out);
    if (isFolder && name === undefined) folders.push(path.resolve(rest));
    else if (isFolder || found?.isFile() === true || /\.\w+$/.test(rest)) named.push(fileSource(rest, name));
    else named.push(await runSource(rest, name, out, warn));
  }
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) {
      throw new UserError(`serve: two models are called ${name}`, 'Name them: first=a/model.onnx second=b/model.onnx.');
    }
    seen.add(name);
  }
  return { named, folders };
}

/** `UserError` for the name of a folder that is the name of a run too. */
async function refuseAmbiguous(name: string, out: string): Promise<void> {
  const run = path.join(out, name);
  if (path.basename(name) !== name || !(await exists(path.join(run, 'recipe.json')))) return;
  throw new UserError(
    `serve: ${name} is the folder ${path.resolve(name)} and the run ${path.resolve(run)}`,
    `Name the folder as ./${name}, or the run as ${run}.`,
  );
}

/** The one model that is served, with sizes that its file leaves open. `UserError` for several: an input could be of any of them. */
export function withShapes({ named, folders }: Sources, shapes: InputShapes): Sources {
  if (shapes.size === 0) return { named, folders };
  const [only, ...others] = named;
  if (only !== undefined && others.length + folders.length === 0) return { named: [{ ...only, shapes }], folders };
  throw new UserError(
    `--shape: expected one model, received ${[...named.map(({ name }) => name), ...folders].join(', ')}`,
    'Serve it by itself, or export it with these sizes: limbeck export --from FILE.onnx --shape NAME=1,3,224,224.',
  );
}

function fileSource(file: string, name = path.basename(file).replace(/\.(onnx|keras|h5|hdf5)$/i, '')): Source {
  const ending = path.extname(file).toLowerCase();
  if (ending !== '.onnx' && !isNamedAsOnnx(file)) {
    throw new UserError(
      `${file}: expected an .onnx, .keras or .h5 file, a folder of .onnx files or a run, received ${ending || 'a file without an ending'}`,
      ending === '.tflite'
        ? 'A TFLite file is for devices; `limbeck export` writes ONNX files too.'
        : 'Name one of those.',
    );
  }
  return { name: checkedName(name, file), file };
}

async function runSource(
  given: string,
  name: string | undefined,
  out: string,
  warn: (message: string) => void,
): Promise<Source> {
  const { findRun } = await import('../folder/find.ts');
  const { betterThan, exportedFile } = await import('../folder/report/finished.ts');
  const [, run = given, id = 'distilled'] = /^(.*):([^:/\\]+)$/.exec(given) ?? [];
  const folder = await findRun(run, out);
  const file = await exportedFile(folder, id);
  const better = await betterThan(folder, id);
  if (better !== undefined) warn(`${given}: ${better.sentence}; serve it with ${run}:${better.row.id}`);
  const usual = id === 'distilled' ? path.basename(folder) : `${path.basename(folder)}-${id}`;
  return fileSource(file, checkedName(name ?? usual, given));
}

function checkedName(name: string, where: string): string {
  if (NAME.test(name)) return name;
  throw new UserError(
    `${where}: ${shown(name)} cannot be the name of a model: expected letters, digits, _ . and - alone`,
    `Give it one: name=${where}.`,
  );
}

/**
 * Models that can be loaded now, by name; links to files are followed, as volumes of Kubernetes consist of them. `onLeft` is told of each
 * .onnx file that is left out; with it, a folder that cannot be read is a `UserError`.
 */
export async function available(
  { named, folders }: Sources,
  onLeft?: (message: string) => void,
): Promise<ReadonlyMap<string, Source>> {
  const found = new Map<string, Source>();
  for (const folder of folders) {
    const entries = await readdir(folder).catch((error: unknown) => {
      if (onLeft !== undefined) throw asUserError(error, folder, 'read');
      return [];
    });
    for (const entry of entries.sort()) {
      const name = entry.replace(/\.onnx$/i, '');
      const file = path.join(folder, entry);
      if (name === entry || entry.startsWith('.')) continue;
      const reason = await reasonAgainst(name, file, found);
      if (reason === undefined) found.set(name, { name, file });
      else onLeft?.(`${file}: left out: ${reason}`);
    }
  }
  for (const source of named) found.set(source.name, source);
  return found;
}

async function reasonAgainst(
  name: string,
  file: string,
  found: ReadonlyMap<string, Source>,
): Promise<string | undefined> {
  const there = await stat(file).catch(() => undefined);
  if (there === undefined) return 'it is a link that leads nowhere';
  if (!there.isFile()) return 'it is no file';
  if (!NAME.test(name)) return `${shown(name)} cannot be the name of a model; name the file itself, as in name=FILE`;
  const other = found.get(name);
  return other && `${other.file} has the same name`;
}
