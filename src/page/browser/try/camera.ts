import { openCamera } from '../../../data/pictures/camera.ts';
import type { Described } from '../card.ts';
import { navigator } from '../dom.ts';
import { make, say } from '../make.ts';
import type { OnQuestion, Source } from './draw.ts';
import { cropped, questionOf, seen } from './frame.ts';
import { inverting } from './picture.ts';

const EVERY_MS = 400;

/** Browsers give the camera to pages over HTTPS and from this machine alone. */
export function hasCamera(): boolean {
  return navigator.mediaDevices !== undefined;
}

/** The middle of what the camera sees, a few times a second. */
export function camera(described: Described, onQuestion: OnQuestion): Source {
  const video = make('video', {
    class: 'video',
    muted: true,
    playsinline: true,
    'aria-label': 'What the camera sees',
  });
  const preview = seen(described);
  const invert = inverting(described, () => undefined);
  const state = make('p', { class: 'soft', role: 'status' }, 'The pictures stay between this browser and this server.');
  const button = make('button', { type: 'button' }, 'Start the camera');
  let close: (() => void) | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isWanted = true;

  const stop = (): void => {
    clearInterval(timer);
    close?.();
    close = undefined;
    say(button, 'Start the camera');
  };
  const start = async (): Promise<void> => {
    try {
      close = await openCamera(video, navigator.mediaDevices!);
    } catch (error) {
      stop();
      say(state, `There is no camera: ${(error as Error).message}.`);
      return;
    }
    if (!isWanted) {
      stop();
      return;
    }
    say(button, 'Stop the camera');
    say(state, '');
    timer = setInterval(() => {
      if (video.videoWidth === 0) return;
      const frame = cropped(video, video.videoWidth, video.videoHeight, described, invert.isOn());
      preview.show(frame);
      onQuestion(questionOf(frame, described));
    }, EVERY_MS);
  };
  button.addEventListener('click', () => {
    if (close === undefined) void start();
    else stop();
  });
  const element = make('div', {}, video, make('div', { class: 'row' }, button), state, invert.element, preview.element);
  return {
    element,
    stop: () => {
      isWanted = false;
      stop();
    },
  };
}
