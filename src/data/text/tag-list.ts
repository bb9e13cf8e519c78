import { TAG_SEPARATOR } from './words.ts';

/** The tags of a sample from their joined text, without surrounding spaces. */
export function tagsIn(text: string, separator = TAG_SEPARATOR): string[] {
  return text.split(separator).map((tag) => tag.trim());
}
