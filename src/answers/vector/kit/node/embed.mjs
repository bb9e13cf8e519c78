// == DOC ==
/** Vector of length 1: samples are as alike as the sum of the products of their numbers is large, at most 1. */

// == HELPER ==
/** Vectors of the samples so far. */
const vectors = [];

// __SEARCH__

// == EACH ==
const expected = sample.values;
// __TAKE__
const vector = Array.from(await vectorOf(raw));
const others = vectors.map((other, i) => 'sample ' + (i + 1) + ': ' + likeness(vector, other).toFixed(3));
vectors.push(vector);
console.log(
  'sample ' + vectors.length + (others.length > 0 ? ' beside ' + others.join(', ') : ': ' + vector.length + ' numbers'),
);
if (expected?.some((value, i) => Math.abs(value - vector[i]) > 1e-3)) {
  console.error('not what example.json holds');
  process.exitCode = 1;
}
