import { shown, UserError } from '../../base/errors.ts';
import { parsedJson } from '../../base/json.ts';

/** The object of a line of JSON lines; `where`: its place for a `UserError`. */
export function jsonObject(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parsedJson(text);
  } catch (error) {
    throw new UserError(
      `${where}: not valid JSON: ${(error as Error).message}`,
      'JSON lines has one whole object per line; an array over several lines is not read.',
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UserError(
    `${where}: expected an object, received ${shown(value)}`,
    'JSON lines has one whole object on each line, such as {"features": […], "label": …}; an array of objects is not read.',
  );
}
