import {describe, expect, it} from 'vitest';
import {type Params, prepare} from '../../src/lib/store/index.js';
import {bind} from '../../src/lib/store/query.js';

describe('a query', () => {
  const query = prepare((db, p: Params<{deviceId: string; now: number; limit: number}>) =>
    db
      .selectFrom('commands')
      .select('id')
      .where('device_id', '=', p.deviceId)
      .where('state', 'in', ['waiting', 'sent'])
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', p.now)]))
      .where('not_before', '<=', p.now)
      .limit(p.limit)
      .forUpdate()
      .skipLocked(),
  );

  it('becomes text with the constants in it and a place for each parameter', () => {
    expect(query.statement('postgres')).toEqual({
      name: expect.stringMatching(/^[\w-]{22}$/),
      sql:
        'select "id" from "commands" where "device_id" = $1 and "state" in (\'waiting\', \'sent\') ' +
        'and ("expires_at" is null or "expires_at" > $2) and "not_before" <= $3 limit $4 for update skip locked',
      slots: ['deviceId', 'now', 'now', 'limit'],
    });
  });

  it('has no row locks on SQLite', () => {
    const {sql} = query.statement('sqlite');
    expect(sql).toMatch(/limit \?$/);
  });

  it('is built once per engine', () => {
    let built = 0;
    const counted = prepare((db) => {
      built += 1;
      return db.selectFrom('orders').selectAll();
    });
    expect(built).toBe(0);
    for (const engine of ['sqlite', 'postgres', 'sqlite', 'postgres'] as const) counted.statement(engine);
    expect(built).toBe(2);
  });

  it('has another name when it has another text, and the same name in every process', () => {
    const other = prepare((db) => db.selectFrom('orders').selectAll());
    const same = prepare((db) => db.selectFrom('orders').selectAll());
    expect(other.statement('postgres').name).toBe(same.statement('postgres').name);
    expect(other.statement('postgres').name).not.toBe(query.statement('postgres').name);
  });

  it('takes its values by name, each time it needs them', () => {
    const params = {deviceId: 'D1', now: 5, limit: 10};
    expect(bind(query.statement('sqlite'), params)).toEqual(['D1', 5, 5, 10]);
    expect(() => bind(query.statement('sqlite'), {...params, now: undefined})).toThrow(TypeError);
    expect(() => bind(query.statement('sqlite'), undefined)).toThrow('"deviceId"');
  });

  it('keeps quotes in its constants', () => {
    const quoted = prepare((db) => db.selectFrom('settings').selectAll().where('name', '=', `it's "x"`));
    expect(quoted.statement('sqlite').sql).toContain(`"name" = 'it''s "x"'`);
  });

  it('cannot be built from the values of its parameters, since there are none yet', () => {
    const early = prepare((db, p: Params<{days: number}>) =>
      db
        .selectFrom('orders')
        .selectAll()
        .where('created_at', '<', p.days * 86_400_000),
    );
    expect(() => early.statement('sqlite')).toThrow('the parameter "days" has no value while the query is built');
  });
});
