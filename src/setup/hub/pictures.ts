import { z } from 'zod';
import { UserError } from '../../base/errors.ts';

/** Preparation of pictures, in the keys of a teacher. */
export interface PicturePreparation {
  readonly resize?: [number, number];
  readonly cutFrom?: number | [number, number];
  readonly filter?: 'bicubic' | 'lanczos';
  readonly normalize: { readonly scale: number; readonly mean: number[]; readonly std: number[] };
}

const sides = z.union([
  z.int().min(1),
  z.object({ height: z.int().min(1), width: z.int().min(1) }),
  z.object({ shortest_edge: z.int().min(1) }),
]);
const numbers = z.array(z.number()).min(1);
const deviations = z.union([z.number().gt(0), z.array(z.number().gt(0)).min(1)]);
const flag = z.boolean().nullish();

const schema = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: flag,
  do_center_crop: flag,
  do_rescale: flag,
  do_normalize: flag,
  do_flip_channel_order: flag,
  do_pad: flag,
  rescale_offset: flag,
  include_top: flag,
  size: sides.nullish(),
  crop_size: sides.nullish(),
  crop_pct: z.number().gt(0).max(1).nullish(),
  resample: z.int().nullish(),
  rescale_factor: z.number().gt(0).nullish(),
  image_mean: z.union([z.number(), numbers]).nullish(),
  image_std: deviations.nullish(),
});
type Stated = z.infer<typeof schema>;

/** Image processors that do no more than to resize, cut the middle out, rescale and normalize. */
const PLAIN =
  /^(ViT|DeiT|Beit|CLIP|Siglip2?|Bit|ConvNext|MobileNetV[12]|MobileViT|EfficientNet|EfficientFormer|PoolFormer|DINOv3ViT)(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/;

/** Filters by Pillow's numbers; undefined: bilinear, the default of a teacher. */
const FILTERS: Readonly<Record<number, 'bicubic' | 'lanczos' | undefined>> = {
  1: 'lanczos',
  2: undefined,
  3: 'bicubic',
};

/** What a preprocessor_config.json says about pictures. `UserError` if there is none, and for what a recipe cannot say. */
export function hubPreparation(
  folder: string,
  content: Readonly<Record<string, unknown>> | undefined,
  channels: number,
): PicturePreparation {
  if (content === undefined)
    throw new UserError(
      `${folder}: expected a preprocessor_config.json in it, which says how pictures are prepared`,
      `Copy it from where the model came from. ${BESIDE}`,
    );
  const refuse = (fact: string, hint = BESIDE): never => {
    throw new UserError(`${folder}: its preprocessor_config.json ${fact}`, hint);
  };
  const read = schema.safeParse(content);
  const [issue] = read.error?.issues ?? [];
  const stated = read.data ?? refuse(`has a ${issue!.path.join('.')} that is not understood: ${issue!.message}`);
  const type = stated.image_processor_type ?? stated.feature_extractor_type ?? '';
  if (!PLAIN.test(type)) refuse(`names the processor ${type || '(none)'}, whose steps are not known here`);
  if (stated.do_pad === true) refuse('pads pictures (do_pad)');
  if (stated.do_flip_channel_order === true || (type.startsWith('MobileViT') && stated.do_flip_channel_order !== false))
    refuse(
      'swaps red and blue (do_flip_channel_order)',
      'Export the model with `x[:, [2, 1, 0]]` before its first layer, and write false there.',
    );
  const { resample = 2 } = stated;
  const sized = sizeOf(stated, type, refuse);
  if (sized.resize !== undefined && (resample === null || !(resample in FILTERS)))
    refuse(
      `resizes by filter ${resample} (resample) of Pillow, and 1, 2 and 3 are known`,
      `Set \`filter\` beside the folder. ${BESIDE}`,
    );
  const filter = FILTERS[resample ?? 2];
  return { ...sized, ...(sized.resize && filter && { filter }), normalize: normalizationOf(stated, channels, refuse) };
}

const BESIDE = 'Set `resize` and `normalize` beside the folder to how its pictures were prepared in training.';

type Refuse = (fact: string) => never;

function sizeOf(
  { do_resize, do_center_crop, size, crop_size, crop_pct }: Stated,
  type: string,
  refuse: Refuse,
): Pick<PicturePreparation, 'resize' | 'cutFrom'> {
  const isCut = do_center_crop === true || type.startsWith('PoolFormer');
  if (do_resize === false) return isCut ? refuse('cuts pictures of any size (do_resize: false)') : {};
  if (size === null || size === undefined) return refuse('has no size');
  const shortest = typeof size === 'number' ? size : 'shortest_edge' in size ? size.shortest_edge : undefined;
  const both = (side: number): [number, number] => [side, side];
  if (type.startsWith('ConvNext')) {
    if (shortest === undefined) return refuse('has no shortest_edge in its size');
    // ConvNeXt cuts below 384 pixels alone.
    return {
      resize: both(shortest),
      ...(shortest < 384 && { cutFrom: Math.floor(shortest / (crop_pct ?? 224 / 256)) }),
    };
  }
  const whole: number | [number, number] =
    typeof size === 'object' && 'height' in size
      ? [size.height, size.width]
      : typeof size === 'number' && !isCut
        ? both(size)
        : Math.floor(shortest! / (crop_pct ?? 1));
  if (!isCut)
    return typeof whole === 'number'
      ? refuse(`gives pictures of any length (size: shortest_edge ${whole}, and nothing is cut)`)
      : { resize: whole };
  if (crop_size === null || crop_size === undefined) return refuse('has no crop_size');
  if (typeof crop_size === 'object' && 'shortest_edge' in crop_size) return refuse('has a shortest_edge as crop_size');
  const resize = typeof crop_size === 'number' ? both(crop_size) : ([crop_size.height, crop_size.width] as const);
  if ([whole].flat().some((side) => side < Math.max(...resize))) refuse('cuts out more than pictures have (crop_size)');
  return { resize: [...resize], cutFrom: whole };
}

function normalizationOf(stated: Stated, channels: number, refuse: Refuse): PicturePreparation['normalize'] {
  const { do_rescale, do_normalize, rescale_factor, rescale_offset, include_top, image_mean, image_std } = stated;
  const all = (value: number | number[]): number[] =>
    typeof value === 'number' ? new Array<number>(channels).fill(value) : value;
  const isNormalized = do_normalize ?? image_mean !== undefined;
  const [mean, std] = [all(isNormalized ? (image_mean ?? 0) : 0), all(isNormalized ? (image_std ?? 1) : 1)];
  if (isNormalized && (image_mean ?? image_std) === undefined) refuse('has no image_mean and image_std');
  if (mean.length !== channels || std.length !== channels)
    refuse(`normalizes ${mean.length} channels, and its model takes ${channels}`);
  const scale = do_rescale === false ? 1 : (rescale_factor ?? 1 / 255);
  // EfficientNet moves values to -1 … 1 first, and divides by the deviations twice.
  const moved = rescale_offset === true && do_rescale !== false ? 1 : 0;
  return {
    scale,
    mean: mean.map((value) => value + moved),
    std: include_top === true ? std.map((value) => value * value) : std,
  };
}
