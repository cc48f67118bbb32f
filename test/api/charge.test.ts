import {describe, expect, it} from 'vitest';
import {CHARGE, literalPorts, sharedTestApi, startTestApi} from './support.js';

const shared = sharedTestApi();

const PATH = '/api/v1/third/devices/PILE-1/charge';
const TIME = {port_no: 1, charge_mode: 1, amount: 100, duration_minutes: 60};

describe('a charging order', () => {
  it.each([
    [TIME, 1, {by: 'time', seconds: 3600}],
    [{...TIME, duration_minutes: undefined, duration: 900}, 1, {by: 'time', seconds: 54_000}],
    [{port_no: 12, charge_mode: 2, amount: 1, energy_wh: 1500}, 12, {by: 'energy', wattHours: 1500}],
    [{port_no: 12, charge_mode: 2, amount: 1, energy_kwh: 1.5}, 12, {by: 'energy', wattHours: 1500}],
    [{port_no: 12, charge_mode: 2, amount: 1, energy_kwh: 0.57}, 12, {by: 'energy', wattHours: 570}],
    [
      {port_no: 1, charge_mode: 3, amount: 200, power: 300, duration_minutes: 2},
      1,
      {by: 'power', tiers: [{watts: 300, cents: 200, seconds: 120}]},
    ],
    [
      {port_no: 1, charge_mode: 3, amount: 70_000, power_levels: [{power_w: 200, price_cent: 50, minutes: 30}]},
      1,
      {by: 'power', tiers: [{watts: 200, cents: 50, seconds: 1800}]},
    ],
    [{port_no: 1, charge_mode: 4, amount: 300}, 1, {by: 'full'}],
    [{socket_no: 1, plug_no: 0, charge_mode: 4, amount: 300}, 1, {by: 'full'}],
    [{socket_no: 3, plug_no: 1, charge_mode: 4, amount: 300}, 6, {by: 'full'}],
  ])('is what is asked for: %j', async (body, portNo, mode) => {
    const {call, ports} = shared();
    const answer = await call('POST', PATH, {body: {...body, price_per_kwh: 120, service_fee: 50}});
    expect(answer.status).toBe(202);
    const [asked] = ports.asked as [string, {orderNo: string}][];
    expect(asked).toEqual([
      'createCharge',
      {
        orderNo: expect.stringMatching(/^THD1762863000000[0-9A-Z]{8}$/),
        deviceId: 'PILE-1',
        portNo,
        mode,
        amountCent: body.amount,
        pricePerKwhCent: 120,
        serviceFeePermille: 50,
      },
    ]);
    expect(answer.json.data).toEqual({
      order_no: asked?.[1].orderNo,
      status: 'pending',
      status_code: 0,
      device_id: 'PILE-1',
      port_no: portNo,
      amount: body.amount,
      online: true,
    });
  });

  it.each([
    [{...TIME, port_no: undefined}, 'port_no is missing, or socket_no and plug_no'],
    [{...TIME, port_no: undefined, socket_no: 1}, 'port_no is missing, or socket_no and plug_no'],
    [{...TIME, plug_no: 1}, 'give port_no, or socket_no and plug_no, not both'],
    [{...TIME, port_no: 0}, 'port_no (body) must be at least 1'],
    [{...TIME, charge_mode: 5}, 'charge_mode (body) must be at most 4'],
    [{...TIME, amount: 0}, 'amount (body) must be at least 1'],
    [{...TIME, amount: 1.5}, 'amount (body) must be integer'],
    [{...TIME, duration_minutes: 901}, 'duration_minutes (body) must be at most 900'],
    [{...TIME, duration_minutes: undefined}, 'charge_mode 1 needs duration_minutes'],
    [{...TIME, duration: 60}, 'give duration_minutes or duration, not both'],
    [{...TIME, energy_wh: 5}, 'energy_wh and energy_kwh are for charge_mode 2'],
    [{...TIME, power: 5}, 'power and power_levels are for charge_mode 3'],
    [{...TIME, charge_mode: 2}, 'duration_minutes is for charge_mode 1, and for 3 with power'],
    [{...TIME, charge_mode: 4}, 'duration_minutes is for charge_mode 1, and for 3 with power'],
    [{port_no: 1, charge_mode: 2, amount: 1}, 'charge_mode 2 needs energy_wh or energy_kwh'],
    [{port_no: 1, charge_mode: 2, amount: 1, energy_wh: 1, energy_kwh: 1}, 'give energy_wh or energy_kwh, not both'],
    [{port_no: 1, charge_mode: 2, amount: 1, energy_kwh: 0.0015}, 'energy_kwh has at most three decimals'],
    [{port_no: 1, charge_mode: 3, amount: 1}, 'charge_mode 3 needs power and duration_minutes, or power_levels'],
    [
      {port_no: 1, charge_mode: 3, amount: 1, power: 5},
      'charge_mode 3 needs power and duration_minutes, or power_levels',
    ],
    [{...TIME, charge_mode: 3, power: 5, amount: 65_536}, 'an amount above 65535 needs power_levels in charge_mode 3'],
    [
      {port_no: 1, charge_mode: 3, amount: 1, power_levels: [{power_w: 1, price_cent: 1}]},
      'power_levels.0 (body) must have the field minutes',
    ],
    [{port_no: 1, charge_mode: 3, amount: 1, power_levels: []}, 'power_levels (body) must have at least 1 items'],
    [{...TIME, service_fee: 1001}, 'service_fee (body) must be at most 1000'],
    [{...TIME, device_id: 'PILE-2'}, 'the body has no field "device_id"'],
  ])('is refused in one sentence: %j', async (body, message) => {
    const {call, ports} = shared();
    const {status, json} = await call('POST', PATH, {body});
    expect([status, json.error_code, json.message]).toEqual([400, 'INVALID_PARAMETER', message]);
    expect(ports.asked).toEqual([]);
  });

  it.each(['/api/v1/charge-orders', '/api/v1/third/order/create'])('%s takes the device in the body', async (path) => {
    const {call, ports} = shared();
    const body = {...TIME, device_id: 'PILE-1', order_no: `C-${path.length}`};
    expect((await call('POST', path, {body})).status).toBe(202);
    expect(ports.asked[0]).toMatchObject(['createCharge', {deviceId: 'PILE-1', orderNo: body.order_no}]);
    // The same number is the same order, and another content is refused.
    expect((await call('POST', path, {body})).status).toBe(202);
    const other = await call('POST', path, {body: {...body, port_no: 2}});
    expect([other.status, other.json.error_code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    expect((await call('POST', path, {body: TIME})).json.message).toBe('the body must have the field device_id');
  });

  it('is repeated by its Idempotency-Key, and needs the scope to write', async () => {
    const {call, ports, keyOf} = shared();
    const headers = {'idempotency-key': 'till-7'};
    const first = await call('POST', PATH, {body: TIME, headers});
    const again = await call('POST', PATH, {body: TIME, headers});
    expect(again.json.data).toEqual(first.json.data);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(ports.asked).toHaveLength(1);
    const refused = await call('POST', PATH, {body: TIME, key: await keyOf('read')});
    expect(refused.json.error_code).toBe('SCOPE_MISSING');
  });
});

describe('to stop', () => {
  it.each([
    ['/api/v1/third/devices/PILE-1/stop', {port_no: 2}, ['stopPort', 'PILE-1', 2, undefined]],
    ['/api/v1/devices/PILE-1/stop', {socket_no: 2, plug_no: 1, order_no: 'A'}, ['stopPort', 'PILE-1', 4, 'A']],
    ['/api/v1/third/order/stop', {device_id: 'PILE-1', port_no: 1}, ['stopPort', 'PILE-1', 1, undefined]],
    ['/api/v1/third/order/stop', {order_no: 'A'}, ['stop', 'A']],
    ['/api/v1/third/orders/A/stop', {}, ['stop', 'A']],
  ])('%s %j', async (path, body, asked) => {
    const {call, ports} = shared();
    const {status, json} = await call('POST', path, {body});
    expect(status).toBe(202);
    expect(json.data).toMatchObject({
      order_no: CHARGE.orderNo,
      status: 'stopping',
      status_code: 9,
      old_status: 'charging',
    });
    expect(ports.asked).toEqual([asked]);
  });

  it.each([{}, {port_no: 1}, {order_no: 'A', port_no: 1}, {order_no: 'A', plug_no: 1}])(
    '/order/stop refuses %j',
    async (body) => {
      const {call, ports} = shared();
      const {json} = await call('POST', '/api/v1/third/order/stop', {body});
      expect(json.message).toBe('give order_no, or device_id and port_no');
      expect(ports.asked).toEqual([]);
    },
  );
});

describe('to cancel', () => {
  it.each([
    [`/api/v1/third/orders/${CHARGE.orderNo}/cancel`, {reason: 'refunded'}],
    [`/api/v1/coin-orders/${CHARGE.orderNo}/cancel`, {reason: 'refunded'}],
    ['/api/v1/third/order/cancel', {order_no: CHARGE.orderNo, reason: 'refunded'}],
  ])('%s', async (path, body) => {
    const {call, ports} = shared();
    const {status, json} = await call('POST', path, {body});
    expect([status, json.data.status, json.data.old_status]).toEqual([202, 'cancelled', 'charging']);
    expect(ports.asked).toEqual([['cancel', CHARGE.orderNo, 'refunded']]);
  });
});

describe('to look', () => {
  it.each([
    ['/api/v1/third/orders?kind=charge&status=charging&page=2', {kind: 'charge', status: 'charging', page: 2}],
    ['/api/v1/orders?device_id=PILE-1&page_size=5', {deviceId: 'PILE-1', pageSize: 5, page: 1}],
    ['/api/v1/coin-orders', {kind: 'coin', page: 1, pageSize: 20}],
    ['/api/v1/third/charge-orders', {kind: 'charge'}],
  ])('%s', async (path, filter) => {
    const {call, ports} = shared();
    expect((await call('GET', path)).status).toBe(200);
    expect(ports.asked).toMatchObject([['list', filter]]);
  });

  it('a list of one kind takes no other', async () => {
    const {call} = shared();
    expect((await call('GET', '/api/v1/coin-orders?kind=charge')).json.message).toBe('the query has no field "kind"');
  });

  it.each([`/api/v1/third/orders/${CHARGE.orderNo}`, `/api/v1/third/order/query?order_no=${CHARGE.orderNo}`])(
    '%s shows an order',
    async (path) => {
      const {json} = await shared().call('GET', path);
      expect(json.data).toMatchObject({
        status_code: 2,
        port_no: 1,
        amount_cent: 100,
        energy_wh: 20,
        duration_seconds: 600,
        sent_at: '2025-11-11T12:10:00.000Z',
        started_at: '2025-11-11T12:10:01.000Z',
      });
    },
  );

  it('an order that is not there is told, and a query without one is refused', async () => {
    const {call} = shared();
    expect((await call('GET', '/api/v1/third/order/query?order_no=none')).json.error_code).toBe('ORDER_NOT_FOUND');
    expect((await call('GET', '/api/v1/third/order/query')).json.message).toBe(
      'the query must have the field order_no',
    );
  });

  it('a device shows its ports and what they do', async () => {
    const {json} = await shared().call('GET', '/api/v1/third/devices/PILE-1/status');
    expect(json.data).toMatchObject({
      status: 'charging',
      ports: [
        {port_no: 1, status: 2, status_name: 'charging', power_w: 120.5, can_charge: false},
        {port_no: 2, status: 0, status_name: 'free', power_w: null, can_charge: true},
      ],
      active_orders: [{order_no: CHARGE.orderNo, status_code: 2}],
    });
    expect((await shared().call('GET', '/api/v1/devices/PB-0001')).json.data.status).toBe('idle');
  });

  it('nothing can charge at a device that is offline', async () => {
    const ports = literalPorts();
    const get = async (deviceId: string) => {
      const found = await ports.devices.get(deviceId);
      return found && {...found, online: false};
    };
    const {call} = await startTestApi({ports: {...ports, devices: {...ports.devices, get}}});
    const {data} = (await call('GET', '/api/v1/devices/PILE-1')).json;
    expect(data.status).toBe('offline');
    expect((data.ports as {can_charge: boolean}[]).some((port) => port.can_charge)).toBe(false);
  });

  it('states and reasons are explained', async () => {
    const {data} = (await shared().call('GET', '/api/v1/third/status/definitions')).json;
    expect((data.port_states as object[])[3]).toEqual({code: 3, name: 'fault'});
    expect(data.order_states).toContainEqual({code: 10, name: 'interrupted', active: true});
    expect(data.order_states).toContainEqual({code: 5, name: 'stopped', active: false});
    expect(data.end_reasons).toContainEqual({name: 'no_load', meaning: 'nothing draws current'});
  });

  it('commands that wait are listed', async () => {
    const {call, ports} = shared();
    const {json} = await call('GET', '/api/v1/commands?device_id=PB-0001');
    expect((json.data.commands as object[])[0]).toMatchObject({status: 'sent', priority: 2});
    expect(ports.asked).toEqual([['waiting', {deviceId: 'PB-0001', page: 1, pageSize: 20}]]);
  });
});

describe('a coin order', () => {
  it.each([
    [{keep_seconds: 0}, 0],
    [{keep_seconds: 60}, 60],
    [{}, undefined],
  ])('with %j waits for its device as long as it says', async (more, keepSeconds) => {
    const {call, ports} = shared();
    const body = {device_id: 'PB-0001', coins: 1, timeout_seconds: 60, ...more};
    expect((await call('POST', '/api/v1/coin-orders', {body})).status).toBe(202);
    expect(ports.asked).toMatchObject([['createCoin', {keepSeconds}]]);
  });
});
