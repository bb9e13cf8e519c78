// == IMPORTS ==
import { normalized } from './normalized.js';
import { polyphase } from './polyphase.js';

// == PREPARE ==
const { sound } = await (await load('preprocessing.json')).json();

// __NORMALIZE__

// == REST ==
/** The middle of a recording, or the recording between silence: so were those of the data brought to their length. */
function clip(values) {
  const out = new Float32Array(input.shape[1]);
  const surplus = values.length - out.length;
  if (surplus >= 0) out.set(values.subarray(surplus >> 1, (surplus >> 1) + out.length));
  else out.set(values, -surplus >> 1);
  return out;
}

/** Rate of a WAV file; of other kinds one that holds what is heard. */
function rateOf(bytes) {
  const view = new DataView(bytes);
  const name = (at) => String.fromCharCode(...new Uint8Array(bytes, at, 4));
  if (bytes.byteLength < 28 || name(0) !== 'RIFF') return 48000;
  let at = 12;
  while (at + 16 <= bytes.byteLength && name(at) !== 'fmt ') at += 8 + view.getUint32(at + 4, true) + (view.getUint8(at + 4) & 1);
  return at + 16 <= bytes.byteLength ? view.getUint32(at + 12, true) : 48000;
}

/** A file's sound at the rate of the model, brought there as the sounds of its data were: browsers filter in ways of their own. The mean of its channels. */
async function recorded(file) {
  const bytes = await file.arrayBuffer();
  const rate = rateOf(bytes);
  const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
  const values = channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
  const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
  const common = divisor(rate, sound.rate);
  return rate === sound.rate ? values : polyphase(values, sound.rate / common, rate / common);
}

/** Calls hear(values) with the last stretch of sound that the microphone heard, 4 times in its length. Returns what ends it. */
async function listen(hear) {
  const heard = new Float32Array(input.shape[1]);
  const hop = Math.ceil(heard.length / 4);
  // Chromium and Safari bring the microphone to this rate; Firefox refuses it if the microphone has another one.
  const context = new AudioContext({ sampleRate: sound.rate });
  const asItIs = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: asItIs });
  await context.audioWorklet.addModule('./microphone.js');
  const microphone = new AudioWorkletNode(context, 'microphone');
  let [fresh, isBusy] = [0, false];
  microphone.port.onmessage = async ({ data }) => {
    heard.copyWithin(0, data.length);
    heard.set(data, heard.length - data.length);
    fresh += data.length;
    if (fresh < hop || isBusy) return;
    [fresh, isBusy] = [0, true];
    await hear(heard.slice());
    isBusy = false;
  };
  context.createMediaStreamSource(stream).connect(microphone);
  await context.resume();
  return () => {
    for (const track of stream.getTracks()) track.stop();
    return context.close();
  };
}

// == RAW ==
const { raw } = example;

// == CHOOSE ==
document.querySelector('input').onchange = async ({ target }) => show(clip(await recorded(target.files[0])));
const [button, live] = [document.querySelector('button'), document.querySelector('output')];
let stop;
button.onclick = async () => {
  if (stop !== undefined) {
    await stop();
    [stop, button.textContent] = [undefined, 'Listen'];
    return;
  }
  stop = await listen(async (values) => (live.textContent = said(await classify(values))));
  button.textContent = 'Stop';
};
