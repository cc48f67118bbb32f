/** A JSON schema: what is checked is what is documented. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

export type Fields = Readonly<Record<string, Schema>>;

/** An object with these fields and no others; those that are not named in `optional` are required. */
export function object(fields: Fields, optional: readonly string[] = []): Schema {
  const required = Object.keys(fields).filter((name) => !optional.includes(name));
  return {type: 'object', additionalProperties: false, ...(required.length > 0 && {required}), properties: fields};
}

/** What an answer holds: it may get more fields in a later version. */
export function shape(fields: Fields): Schema {
  return {type: 'object', required: Object.keys(fields), properties: fields};
}

export const list = (items: Schema): Schema => ({type: 'array', items});

export const text: Schema = {type: 'string'};
export const whole: Schema = {type: 'integer'};
export const yes: Schema = {type: 'boolean'};
export const time: Schema = {type: 'string', format: 'date-time', description: 'ISO 8601, UTC'};
export const orNull = (schema: Schema): Schema => ({...schema, type: [schema.type, 'null']});
export const about = (schema: Schema, description: string): Schema => ({...schema, description});

/** No control characters; what else an id may be is the business of whoever knows it. */
const ID_PATTERN =
  '^[^\\u0000-\\u0020\\u007f-\\u009f](?:[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u0020\\u007f-\\u009f])?$';
export const id = (maxLength: number): Schema => ({type: 'string', minLength: 1, maxLength, pattern: ID_PATTERN});

export const orderNo: Schema = about(
  {type: 'string', pattern: '^[A-Za-z0-9._-]{1,32}$'},
  '1 to 32 letters, digits, ".", "_", "-"',
);
export const deviceId = id(128);
export const note: Schema = {type: 'string', minLength: 1, maxLength: 500};

/** Fields of a query are optional. */
export const query = (fields: Fields): Schema => object(fields, Object.keys(fields));
/** A flag in a query, where everything is text. */
export const flag: Schema = {type: 'string', enum: ['true', 'false']};

const envelope: Fields = {
  code: whole,
  message: text,
  request_id: text,
  timestamp: about(whole, 'Unix seconds'),
};

export const successOf = (data: Schema): Schema => shape({...envelope, data});

export const failureSchema: Schema = about(
  shape({
    ...envelope,
    data: {type: 'null'},
    error: about(text, 'the error code in lower case'),
    error_code: text,
  }),
  'An error',
);
