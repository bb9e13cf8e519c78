import { parse } from 'yaml';
import { shown, UserError } from '../base/errors.ts';
import { parseOverride } from './overrides.ts';
import { refuseExcess } from './yaml.ts';

/** One run of a sweep: a name that does not depend on the process, and its changes, as for `--set`. */
export interface TrialSettings {
  readonly name: string;
  readonly set: readonly string[];
}

/** Maximum number of trials of a sweep; more are probably a mistake. */
const MOST = 10_000;
/** Maximum length of a trial's name. */
const LONGEST = 60;

/** Every combination of `--grid key=a,b,…`, the last key changing fastest. Values are YAML; brackets or quotes may enclose commas. */
export function gridTrials(grid: readonly string[]): TrialSettings[] {
  const axes = grid.map((text) => {
    const equals = text.indexOf('=');
    const values = equals < 1 ? [] : split(text.slice(equals + 1));
    if (values.every((value) => value === ''))
      throw new UserError(
        `--grid: expected key.path=value,value, received ${shown(text)}`,
        'Write for example --grid distill.temperature=1,2,4.',
      );
    const key = text.slice(0, equals);
    if (values.includes(''))
      throw new UserError(
        `--grid: expected a value between all commas of ${key}, received ${shown(text)}`,
        `Take the spare comma out; an empty text is written as "", no value as null.`,
      );
    return { key, settings: values.map((value) => `${key}=${value}`) };
  });
  const twice = axes.find(({ key }, i) => axes.findIndex((other) => other.key === key) < i);
  if (twice !== undefined)
    throw new UserError(`--grid: ${twice.key} is given twice`, 'Give all of its values in one --grid.');
  const size = axes.reduce((product, { settings }) => product * settings.length, 1);
  if (size > MOST) throw tooMany(size);
  let trials: string[][] = [[]];
  for (const { settings } of axes) trials = trials.flatMap((trial) => settings.map((setting) => [...trial, setting]));
  return named(trials, '--grid');
}

/** The trials in a file: a list, in YAML or JSON, of the changes of each: `[{ "distill.temperature": 2, "seed": 1 }, …]`. */
export function fileTrials(text: string, file: string): TrialSettings[] {
  refuseExcess(text, file);
  const trials = read(text);
  if (trials === undefined || trials.length === 0)
    throw new UserError(
      `${file}: expected a list of mappings from keys of a recipe to values`,
      'Write one item for each trial: - { distill.temperature: 2, seed: 1 }',
    );
  if (trials.length > MOST) throw tooMany(trials.length);
  const odd = trials.flatMap(Object.keys).find((key) => !KEY.test(key));
  if (odd !== undefined)
    throw new UserError(
      `${file}: expected keys of a recipe, received ${shown(odd)}`,
      'Write the path to a value with points, e.g. distill.temperature.',
    );
  return named(
    trials.map((trial) => Object.entries(trial).map(([key, value]) => `${key}=${JSON.stringify(value)}`)),
    file,
  );
}

/** Key path: words with points between them. */
const KEY = /^[^.=\s]+(?:\.[^.=\s]+)*$/;

function read(text: string): Record<string, unknown>[] | undefined {
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    return undefined;
  }
  const isTrial = (item: unknown): boolean => typeof item === 'object' && item !== null && !Array.isArray(item);
  return Array.isArray(content) && content.every(isTrial) ? (content as Record<string, unknown>[]) : undefined;
}

function named(trials: readonly (readonly string[])[], option: string): TrialSettings[] {
  const width = String(trials.length).length;
  return trials.map((set, i) => {
    for (const text of set) refuseName(parseOverride({ text, option }).path);
    const words = set.map((text) => text.slice(text.lastIndexOf('.', text.indexOf('=')) + 1));
    const settingsText = words.join('-').replace(/[^A-Za-z0-9._-]+/g, '-');
    const number = String(i + 1).padStart(width, '0');
    return { name: `${number}-${settingsText}`.slice(0, LONGEST).replace(/-+$/, ''), set };
  });
}

function refuseName(path: readonly unknown[]): void {
  if (path[0] !== 'name') return;
  throw new UserError('a trial sets name, which each trial has from its settings', 'Leave name out.');
}

function tooMany(received: number): UserError {
  return new UserError(`a sweep of ${received} trials: expected at most ${MOST}`, 'Cut it into several sweeps.');
}

/** Splits at commas outside of brackets and quotes. */
function split(text: string): string[] {
  const parts: string[] = [];
  let [part, depth, quote] = ['', 0, ''];
  for (const letter of `${text},`) {
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if ('[{'.includes(letter)) depth++;
    else if (']}'.includes(letter)) depth--;
    if (letter !== ',' || depth !== 0 || quote !== '') part += letter;
    else {
      parts.push(part.trim());
      part = '';
    }
  }
  return part === '' ? parts : [...parts, part.trim()];
}
