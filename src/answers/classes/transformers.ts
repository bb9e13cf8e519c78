import type { PipelineForm } from '../../consumers/transformers/config.ts';

export const transformers: PipelineForm = { texts: 'text-classification', pictures: 'image-classification' };
