import type { PipelineForm } from '../../ship/transformers/config.ts';

export const transformers: PipelineForm = { pictures: 'image-segmentation' };
