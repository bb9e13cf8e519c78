// == DOC ==
/** Outputs in the order of labels.txt: numbers in the units of the labels, or logits of labels. */

// == HELPER ==
/** A logit as the probability that the sample has the label. */
function shown(value) {
  return output.answers === 'logits' ? (100 / (1 + Math.exp(-value))).toFixed(1) + ' %' : String(value);
}

// == EACH ==
const expected = sample[output.answers];
// __TAKE__
const found = await predict(raw);
console.log(names.map((name, i) => name + ' ' + shown(found[i])).join(', '));
if (expected?.some((value, i) => Math.abs(value - found[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not what example.json holds');
  process.exitCode = 1;
}
