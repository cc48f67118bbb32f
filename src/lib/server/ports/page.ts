import type {Page} from '../../api/index.js';

/** A page of the interface as a part of a list. */
export const rangeOf = ({page, pageSize}: Page): {limit: number; offset: number} => ({
  limit: pageSize,
  offset: (page - 1) * pageSize,
});
