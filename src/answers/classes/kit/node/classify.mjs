// == HELPER ==
export function probabilities(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// == EACH ==
const expected = sample.logits;
// __TAKE__
const logits = await logitsOf(raw);
const shares = probabilities(logits);
const best = shares.indexOf(Math.max(...shares));
console.log(labels[best] + '\t' + (100 * shares[best]).toFixed(1) + ' %');
const differs = expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)));
if (differs) {
  console.error('not the logits that example.json holds');
  process.exitCode = 1;
}
