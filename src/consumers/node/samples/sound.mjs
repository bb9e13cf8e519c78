// == PICTURE ==
/** A WAV file as a sample at the rate and length that the model learnt from: of a longer sound the middle, before and behind a shorter sound silence. */
async function soundIn(file) {
  const { riffSound } = await import('./riff.js');
  const { polyphase } = await import('./polyphase.js');
  const { sound } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));
  const raw = new Float32Array(input.shape[1]);
  const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
  try {
    const { rate, values } = riffSound(readFileSync(file));
    const common = divisor(rate, sound.rate);
    const [up, down] = [sound.rate / common, rate / common];
    if (Math.max(up, down) > 20000 || Math.max(up / down, down / up) > 500)
      throw new Error('its rate of ' + rate + ' values a second cannot be brought to ' + sound.rate + ': convert it first');
    const start = Math.max(0, values.length - raw.length) >> 1;
    const found = up === down ? values.subarray(start, start + raw.length) : polyphase(values, up, down, raw.length);
    raw.set(found, (raw.length - found.length) >> 1);
    return { raw };
  } catch (error) {
    console.error(file + ': ' + error.message);
    process.exit(1);
  }
}
