import type { DecoderName } from '../../../recipe/decoders.ts';
import type { Decoder } from './decoder.ts';
import { detr } from './detr.ts';
import { ssd } from './ssd.ts';
import { yolo26, yolov8, yolox } from './yolo.ts';

export const decoders: Readonly<Record<DecoderName, Decoder>> = { yolov8, yolox, yolo26, detr, ssd };
