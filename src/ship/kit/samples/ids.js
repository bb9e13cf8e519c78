/** Token ids of a text, or of two of a pair; of a model of several inputs its mask and types too, one behind the other. */
export function prepare(raw) {
  const encoded = encode([raw].flat());
  return Float32Array.from(text.parts.flatMap((part) => [...encoded[part]]));
}

/** Whether an example has other ids, or another mask or types, than its text is given here. */
export function differsIn(example) {
  const encoded = encode([example.text].flat());
  return text.parts.some((part) => example[part]?.some((value, i) => value !== encoded[part][i]));
}
