/** Token ids of a list of words. */
export function prepare(words) {
  return Float32Array.from(encode(words).ids);
}

/** The tag of each word: of the largest logit at its first token. Null for a word without one, and behind the last token that the model takes. */
export function tagsOf(words, logits) {
  const tags = words.map(() => null);
  encode(words).words.forEach((word, at) => {
    if (word < 0) return;
    const row = Array.from(logits.slice(at * __LABELS__.length, (at + 1) * __LABELS__.length));
    tags[word] = __LABELS__[row.indexOf(Math.max(...row))];
  });
  return tags;
}
