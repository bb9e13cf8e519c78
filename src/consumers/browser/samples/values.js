// == SHARES ==
/** A logit as the probability that the sample has the label. */
function shown(value) {
  return output.answers === 'logits' ? (100 / (1 + Math.exp(-value))).toFixed(1) + ' %' : String(Number(value.toPrecision(6)));
}

// == SHOW ==
const said = (answers) => labels.map((name, i) => name + ' ' + shown(answers[i])).join(', ');
const known = (targets) => (output.answers === 'logits' ? labels.filter((_, i) => targets[i] === 1) : targets).join(', ');
const show = async (raw, expected) => {
  const answers = await classify(raw);
  const item = document.createElement('li');
  item.textContent = said(answers) + (expected ? ', expected ' + (known(expected) || 'none') : '');
  list.append(item);
  return { answers: Array.from(answers) };
};
