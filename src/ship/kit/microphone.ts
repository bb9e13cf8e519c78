/** The part of the browser sample that is for models of sounds: a microphone that is heard hop by hop, and files. */

/** Shares of a sample's length between two answers. */
const HOPS = 4;

/** Runs beside the page, where the sound comes in. */
export const MICROPHONE = `registerProcessor(
  'microphone',
  class extends AudioWorkletProcessor {
    process([[values]]) {
      if (values !== undefined) this.port.postMessage(values.slice());
      return true;
    }
  },
);
`;

export const SOUND_FIELD = `<p>
      <button type="button">Listen</button>
      <input type="file" accept="audio/*" aria-label="Recording" />
      <output></output>
    </p>`;

/** Functions of the page. */
export const SOUND_REST = `/** The middle of a recording, or the recording between silence: so were those of the data brought to their length. */
function clip(values) {
  const out = new Float32Array(input.shape[1]);
  const surplus = values.length - out.length;
  if (surplus >= 0) out.set(values.subarray(surplus >> 1, (surplus >> 1) + out.length));
  else out.set(values, -surplus >> 1);
  return out;
}

/** A file's sound at the rate of the model: the mean of its channels. */
async function recorded(file) {
  const context = new OfflineAudioContext(1, 1, sound.rate);
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
  return channels[0].map((_, i) => channels.reduce((sum, values) => sum + values[i], 0) / channels.length);
}

/** Calls hear(values) with the last stretch of sound that the microphone heard, ${HOPS} times in its length. Returns what ends it. */
async function listen(hear) {
  const heard = new Float32Array(input.shape[1]);
  const hop = Math.ceil(heard.length / ${HOPS});
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

`;

/** Script of the page for a file that is chosen. */
export const SOUND_CHOOSE = `  document.querySelector('input').onchange = async ({ target }) => show(clip(await recorded(target.files[0])));
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
`;
