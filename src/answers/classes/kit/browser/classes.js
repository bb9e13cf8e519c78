// == SHARES ==
function probabilities(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// == SHOW ==
const bestOf = (logits) => logits.indexOf(Math.max(...logits));
const said = (logits) => labels[bestOf(logits)] + ' ' + (100 * Math.max(...probabilities(logits))).toFixed(1) + ' %';
const show = async (raw, expected) => {
  const logits = await classify(raw);
  const item = document.createElement('li');
  item.textContent = said(logits) + (expected ? ', expected ' + expected : '');
  list.append(item);
  return { label: labels[bestOf(logits)], logits: Array.from(logits) };
};
