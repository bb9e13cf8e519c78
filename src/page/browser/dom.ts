import type { DrawingContext } from '../../data/pictures/canvas.ts';

/** The part of the browser's world that the pages need. It is typed here, so that no other part of the program sees it. */

export interface Node {
  textContent: string | null;
}

export interface PageEvent {
  readonly key: string;
  readonly clientX: number;
  readonly clientY: number;
  readonly pointerId: number;
  readonly shiftKey: boolean;
  readonly target: Element;
  readonly dataTransfer: { readonly files: ArrayLike<File> } | null;
  preventDefault(): void;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Element extends Node {
  className: string;
  id: string;
  hidden: boolean;
  disabled: boolean;
  value: string;
  checked: boolean;
  open: boolean;
  readonly children: ArrayLike<Element>;
  readonly clientWidth: number;
  readonly isConnected: boolean;
  readonly style: { setProperty(name: string, value: string): void };
  readonly files: ArrayLike<File> | null;
  append(...children: (Node | string)[]): void;
  replaceChildren(...children: (Node | string)[]): void;
  remove(): void;
  focus(): void;
  click(): void;
  scrollIntoView(options?: object): void;
  setAttribute(name: string, value: string): void;
  getAttribute(name: string): string | null;
  removeAttribute(name: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  getBoundingClientRect(): Box;
  setPointerCapture(id: number): void;
}

export type File = Blob & { readonly name: string };

/** Source that can be drawn on a canvas. */
interface Picture {
  readonly width: number;
  readonly height: number;
}

export interface Canvas extends Element, Picture {
  width: number;
  height: number;
  getContext(kind: '2d', options?: object): Context2d;
  toBlob(take: (blob: Blob | null) => void, type: string): void;
}

interface ImageData {
  readonly data: Uint8ClampedArray;
}

export interface Context2d extends DrawingContext {
  fillStyle: string;
  lineJoin: string;
  filter: string;
  imageSmoothingQuality: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  getImageData(x: number, y: number, width: number, height: number): ImageData;
}

export interface Video extends Element {
  srcObject: MediaStream | null;
  readonly videoWidth: number;
  readonly videoHeight: number;
  play(): Promise<void>;
}

export interface MediaStream {
  getTracks(): { stop(): void }[];
}

export interface AudioBuffer {
  readonly numberOfChannels: number;
  readonly sampleRate: number;
  readonly length: number;
  getChannelData(channel: number): Float32Array;
}

interface Recorder {
  readonly state: string;
  start(): void;
  stop(): void;
  addEventListener(type: string, listener: (event: { readonly data: Blob }) => void): void;
}

interface World {
  readonly document: {
    readonly visibilityState: string;
    readonly baseURI: string;
    readonly activeElement: Element | null;
    title: string;
    getElementById(id: string): Element | null;
    createElement(tag: string): Element;
    createElementNS(namespace: string, tag: string): Element;
    addEventListener(type: string, listener: () => void): void;
  };
  readonly navigator: {
    readonly mediaDevices?: { getUserMedia(wanted: object): Promise<MediaStream> };
    readonly clipboard?: { writeText(text: string): Promise<void> };
  };
  readonly location: { readonly origin: string; readonly pathname: string };
  readonly createImageBitmap: (blob: Blob) => Promise<Picture & { close(): void }>;
  readonly AudioContext: new () => {
    decodeAudioData(bytes: ArrayBuffer): Promise<AudioBuffer>;
    close(): Promise<void>;
  };
  readonly MediaRecorder?: new (stream: MediaStream) => Recorder;
}

export const { document, navigator, location, createImageBitmap, AudioContext, MediaRecorder } =
  globalThis as unknown as World;
