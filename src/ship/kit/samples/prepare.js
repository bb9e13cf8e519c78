/** Values as the model was trained on them. */
export function prepare(given) {
  const { missing } = normalization;
  const raw = missing === undefined ? given : Array.from(given, (value, i) => value ?? missing[i % missing.length]);
  const size = input.shape.reduce((product, length) => product * length);
  if (raw.length !== size) throw new Error('expected ' + size + ' numbers, received ' + raw.length);
  const wrong = raw.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)));
  if (wrong !== -1) throw new Error('value ' + wrong + ': expected a number, received ' + raw[wrong]);
  return normalized(raw, normalization);
}
