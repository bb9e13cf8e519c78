/** Depth of brackets: what programs write reaches a tenth of it. */
export const DEEPEST = 500;
/** Letters that are parsed in milliseconds, whatever they are. */
const FEW = 2 ** 16;

/**
 * The value of JSON that a stranger may have written. `SyntaxError` for what is none, and for brackets inside of each other, of which the parser takes
 * 0.4 µs and 45 bytes for each: minutes for a file of some kB that is packed.
 */
export function parsedJson(text: string): unknown {
  if (text.length > FEW && isDeep(text)) throw new SyntaxError(`nested more than ${DEEPEST} deep`);
  return JSON.parse(text);
}

/** True for JSON that is nested more than `DEEPEST` deep. */
export function isDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length && depth <= DEEPEST; i++) {
    const sign = text[i];
    if (sign === '"') for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    if (sign === '[' || sign === '{') depth++;
    else if (sign === ']' || sign === '}') depth--;
  }
  return depth > DEEPEST;
}
