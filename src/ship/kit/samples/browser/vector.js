// == SHARES ==
/** Cosine of the angle between two vectors of length 1. */
function likeness(one, other) {
  return one.reduce((sum, value, i) => sum + value * other[i], 0);
}

// == SHOW ==
const vectors = [];
/** The earlier samples that a vector is most alike to. */
const said = (vector) => {
  const alike = vectors
    .map((other, i) => [likeness(vector, other), i + 1])
    .sort((a, b) => b[0] - a[0])
    .slice(0, 3);
  if (alike.length === 0) return vector.length + ' numbers';
  return 'most alike: ' + alike.map(([cosine, i]) => 'sample ' + i + ' (' + cosine.toFixed(3) + ')').join(', ');
};
const show = async (raw, expected) => {
  const vector = Array.from(await classify(raw));
  const differs = expected !== undefined && expected.some((value, i) => Math.abs(value - vector[i]) > 1e-3);
  const item = document.createElement('li');
  item.textContent = said(vector) + (differs ? '; not what example.json holds' : '');
  vectors.push(vector);
  list.append(item);
  return { vector, differs };
};
