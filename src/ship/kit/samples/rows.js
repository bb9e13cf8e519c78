/** A row by the names of its columns as numbers: 0 and 1 for each word, all 0 for a word that the model does not know, and the parts of a date. */
export function encode(row) {
  return columns.flatMap(({ name, words, date, missing }) => {
    const value = row[name];
    if (value === null && missing !== undefined) return words === undefined ? missing : words.map(() => 0);
    if (value === undefined) throw new Error('no column ' + name);
    if (date !== undefined) {
      const time = timeOfDate(value) ?? NaN;
      if (!Number.isNaN(time)) return numbersOfDate(time, date);
      throw new Error('column ' + name + ': expected a date such as 2024-01-31 or 2024-01-31T10:30:00Z, received ' + value);
    }
    const isText = typeof value === 'string' && value.trim() !== '';
    if (words === undefined) {
      const number = isText || typeof value === 'boolean' ? Number(value) : value;
      if (typeof number === 'number' && Number.isFinite(number)) return [number];
      throw new Error('column ' + name + ': expected a number, received ' + value);
    }
    if (!isText && typeof value !== 'boolean' && !Number.isFinite(value))
      throw new Error('column ' + name + ': expected a word, received ' + value);
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      throw new Error('column ' + name + ': ' + value + ' has more digits than numbers keep, give a text');
    const found = wordOf(value, words);
    return words.map((word) => (word === found ? 1 : 0));
  });
}

/** The word of the training data that a value stands for: a text file may write it otherwise, as True or 2.0. */
function wordOf(value, words) {
  const given = String(value).trim();
  if (typeof value === 'string' || words.includes(given)) return given;
  return words.find((word) => (typeof value === 'number' ? Number(word) === value : word.toLowerCase() === given));
}
