import { TAG_SEPARATOR } from './words.ts';

/** The tags of a sample, from the text that they are kept as; spaces around a tag are no part of it. */
export function tagsIn(text: string, separator = TAG_SEPARATOR): string[] {
  return text.split(separator).map((tag) => tag.trim());
}
