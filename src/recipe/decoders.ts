/** Layouts of detectors' outputs by name, with the outputs that hold an answer, as `teacher.outputs` names them. */
export const DECODERS = {
  yolov8: ['boxes'],
  yolox: ['boxes'],
  yolo26: ['boxes'],
  detr: ['logits', 'boxes'],
  ssd: ['boxes', 'labels', 'scores'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type DecoderName = keyof typeof DECODERS;
export const DECODER_NAMES = Object.keys(DECODERS) as [DecoderName, ...DecoderName[]];

/** Settings beside the name of a layout, and the layouts that read them. */
export const DECODER_KEYS = {
  unit: ['yolov8', 'yolox', 'yolo26', 'ssd'],
  boxes: ['yolov8'],
  order: ['ssd'],
  firstLabel: ['ssd'],
  overlap: ['yolov8', 'yolox'],
} as const satisfies Readonly<Record<string, readonly DecoderName[]>>;

/** A layout with its settings, as a recipe states it: by name alone, or with keys. */
export interface DecoderSettings {
  readonly layout: DecoderName;
  readonly unit?: 'pixels' | 'shares' | undefined;
  readonly boxes?: 'centres' | 'corners' | undefined;
  readonly order?: 'xyxy' | 'yxyx' | undefined;
  readonly firstLabel?: 0 | 1 | undefined;
  readonly overlap?: number | undefined;
}

export function decoderSettings(decoder: DecoderName | DecoderSettings): DecoderSettings {
  return typeof decoder === 'string' ? { layout: decoder } : decoder;
}
