import { nearest, shown, UserError } from '../../base/errors.ts';

type OptionValue = number | boolean | string | readonly number[];

/** One option of a model: its default, a sentence of documentation, and a check of values. */
export interface OptionSpec<T extends OptionValue = OptionValue> {
  readonly default: T;
  readonly doc: string;
  readonly wrong: (value: unknown) => string | undefined;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
export type OptionsOf<S extends OptionSpecs> = { readonly [K in keyof S]: S[K]['default'] };

/** Maximum units or channels of a layer. */
const MOST = 65536;

export function integer(fallback: number, doc: string, min = 1, max = MOST): OptionSpec<number> {
  const wrong = (value: unknown): string | undefined =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `expected a whole number from ${min} to ${max}`;
  return { default: fallback, doc, wrong };
}

function yesNo(fallback: boolean, doc: string): OptionSpec<boolean> {
  const wrong = (value: unknown): string | undefined =>
    typeof value === 'boolean' ? undefined : 'expected true or false';
  return { default: fallback, doc, wrong };
}

export function real(fallback: number, doc: string, min: number, max: number): OptionSpec<number> {
  const wrong = (value: unknown): string | undefined =>
    typeof value === 'number' && value >= min && value <= max ? undefined : `expected a number from ${min} to ${max}`;
  return { default: fallback, doc, wrong };
}

export function integerList(fallback: readonly number[], doc: string, length?: number): OptionSpec<readonly number[]> {
  const wrong = (value: unknown): string | undefined =>
    Array.isArray(value) &&
    value.every((n) => Number.isInteger(n) && (n as number) > 0 && (n as number) <= MOST) &&
    (length === undefined || value.length === length)
      ? undefined
      : `expected a list of ${length === undefined ? '' : `${length} `}whole numbers from 1 to ${MOST}`;
  return { default: fallback, doc, wrong };
}

export function choice<T extends string | number>(fallback: T, of: readonly T[], doc: string): OptionSpec<T> {
  const wrong = (value: unknown): string | undefined =>
    of.includes(value as T) ? undefined : `expected one of ${of.join(', ')}`;
  return { default: fallback, doc, wrong };
}

/** Option of the models whose first layers are those of MobileNet v2. */
export const weights = choice(
  'own',
  ['own', 'none'],
  'own: the first layers begin with starting weights of Limbeck where there are some, for pictures in colour and `alpha: 0.35`; none: with drawn weights.',
);

/** The options with defaults filled in; `UserError` for an unknown option or a wrong value. */
export function resolveOptions<S extends OptionSpecs>(
  model: string,
  specs: S,
  given: Readonly<Record<string, unknown>>,
): OptionsOf<S> {
  const resolved: Record<string, OptionValue> = {};
  for (const [name, spec] of Object.entries(specs)) resolved[name] = spec.default;
  for (const [name, value] of Object.entries(given)) {
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw unknownOption(model, name, Object.keys(specs));
    if (value === undefined) continue;
    const wrong = spec.wrong(value);
    if (wrong !== undefined)
      throw new UserError(`model ${model}, ${name}: ${wrong}, received ${shown(value)}`, spec.doc);
    resolved[name] = value as OptionValue;
  }
  return resolved as OptionsOf<S>;
}

function unknownOption(model: string, name: string, known: readonly string[]): UserError {
  const near = nearest(name, known);
  const hint = near === undefined ? `Its options are ${known.join(', ')}.` : `Did you mean ${near}?`;
  return new UserError(`model ${model} has no option ${shown(name)}`, hint);
}

/** Option of models whose layers may look back only, as streams need it. */
export const causal = yesNo(
  false,
  'Layers look back only: zeros before the first step, none behind the last, as a stream needs.',
);
