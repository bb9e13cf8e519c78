import type { z } from 'zod';
import { shown, UserError } from '../../../base/errors.ts';

/** Content of a file as its schema has it. A value that differs from the schema is a `UserError` that names its place, such as `annotations[7].bbox`. */
export function checkedContent<T extends z.ZodType>(
  schema: T,
  content: unknown,
  file: string,
  hint: string,
): z.output<T> {
  const read = schema.safeParse(content);
  if (read.success) return read.data;
  const { path: keys, message } = read.error.issues[0]!;
  const place = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const found = keys.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], content);
  const expected = message.replace(/^.*?: (?=expected)/, '').replace(/, received .*/, '');
  throw new UserError(
    `${file}: ${place === '' ? 'the whole' : place.slice(1)}: ${expected}, received ${shown(found)}`,
    hint,
  );
}
