import type { Described } from '../card.ts';
import { AudioContext, MediaRecorder, navigator } from '../dom.ts';
import type { AudioBuffer, File, MediaStream } from '../dom.ts';
import { make, say } from '../make.ts';
import { chooser } from './chooser.ts';
import type { OnQuestion, Source } from './draw.ts';
import type { Question } from './frame.ts';

/** A sound from a file. WAV files are sent as they are; of others this browser makes one. */
export function soundFile(onQuestion: OnQuestion): Source {
  const element = make(
    'div',
    {},
    chooser('sound', 'audio/*', ([file]) => onQuestion(questionOf(file!))),
  );
  return { element, stop: () => undefined };
}

/** Browsers give the microphone to pages over HTTPS and from this machine alone. */
export function hasMicrophone(): boolean {
  return navigator.mediaDevices !== undefined && MediaRecorder !== undefined;
}

/** Sound of the microphone, as long as the model's input. */
export function microphone({ shape, rate }: Described, onQuestion: OnQuestion): Source {
  const seconds = shape[0]! / rate!;
  const state = make('p', { class: 'soft', role: 'status' }, 'Sounds stay between this browser and this server.');
  const button = make('button', { type: 'button' }, `Record ${Number(seconds.toPrecision(2))} s`);
  let stream: MediaStream | undefined;
  const stop = (): void => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    button.disabled = false;
  };
  const record = async (): Promise<void> => {
    button.disabled = true;
    try {
      stream = await navigator.mediaDevices!.getUserMedia({ audio: true });
      const recorder = new MediaRecorder!(stream);
      const parts: Blob[] = [];
      recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
      const ended = new Promise<void>((resolve) => recorder.addEventListener('stop', () => resolve()));
      recorder.start();
      say(state, 'Recording.');
      setTimeout(() => recorder.state === 'recording' && recorder.stop(), 1000 * seconds);
      await ended;
      // A recording that was stopped because another source took its place is not asked about.
      if (stream !== undefined) onQuestion(decoded(new Blob(parts)));
      say(state, '');
    } catch (error) {
      say(state, `There is no microphone: ${(error as Error).message}.`);
    }
    stop();
  };
  button.addEventListener('click', () => void record());
  return { element: make('div', {}, make('div', { class: 'row' }, button), state), stop };
}

async function questionOf(file: File): Promise<Question> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const name = String.fromCharCode(...head);
  return /^RIFF....WAVE$/s.test(name) ? { body: file, type: 'audio/wav' } : decoded(file);
}

async function decoded(sound: Blob): Promise<Question> {
  const context = new AudioContext();
  try {
    const buffer = await context.decodeAudioData(await sound.arrayBuffer());
    return { body: wavOf(buffer), type: 'audio/wav' };
  } catch {
    throw new Error('this browser cannot read the sound');
  } finally {
    void context.close();
  }
}

/** The mean of all channels as a WAV file of 16 bits. */
function wavOf(buffer: AudioBuffer): Blob {
  const { numberOfChannels, sampleRate, length } = buffer;
  const channels = Array.from({ length: numberOfChannels }, (_, i) => buffer.getChannelData(i));
  const view = new DataView(new ArrayBuffer(44 + 2 * length));
  const text = (at: number, letters: string): void =>
    new TextEncoder().encode(letters).forEach((byte, i) => view.setUint8(at + i, byte));
  text(0, 'RIFF');
  view.setUint32(4, 36 + 2 * length, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, 2 * length, true);
  for (let i = 0; i < length; i++) {
    const mean = channels.reduce((sum, channel) => sum + channel[i]!, 0) / numberOfChannels;
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, mean))), true);
  }
  return new Blob([view.buffer], { type: 'audio/wav' });
}
