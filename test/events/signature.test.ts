import {describe, expect, it} from 'vitest';
import {signRequest} from '../../src/lib/events/index.js';
import {eventHeaders, standardKey, standardSignature, webhookId} from '../../src/lib/events/signature.js';

const AT = {timestamp: '1762863000', nonce: 'a1b2c3d4'};

describe("the interface's signature", () => {
  it('is that of the worked examples', () => {
    const charge = {
      ...AT,
      method: 'POST',
      path: '/api/v1/third/devices/82241218000382/charge',
      body: Buffer.from('{"port_no":1,"charge_mode":1,"amount":100,"duration_minutes":60}'),
    };
    expect(signRequest('test-secret', charge)).toBe('6655b1acb1ec695222c1c5c025120f3d4066fedb30f72bff07b199d15aec3519');
    const order = {...AT, method: 'GET', path: '/api/v1/third/orders/THD1762863000001', body: Buffer.alloc(0)};
    expect(signRequest('test-secret', order)).toBe('c41e19d5f9c176de87bda85fa5a0d64cb0aa08130d448085c16efe2b42843810');
    const event = {
      method: 'POST',
      path: '/webhook/iot',
      timestamp: '1762866601',
      nonce: '5f3e9a10',
      body: Buffer.from(
        '{"event_id":"charging.ended-82241218000382-1762866600000000000","event_type":"charging.ended","device_phy_id":"82241218000382","timestamp":1762866600,"nonce":"0badf00d","data":{"order_no":"THD1762863000001","port_no":1,"duration":3600,"total_kwh":0.08,"end_reason":"no_load","end_reason_msg":"no load","ended_at":1762866600}}',
      ),
    };
    expect(signRequest('whsec-demo', event)).toBe('c50802cd5321371b327605c9449c248d0ca745a3197fbdda38338f25c54e0e70');
  });
});

describe('Standard Webhooks', () => {
  it('signs as the example of its libraries', () => {
    const key = standardKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const signed = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: Buffer.from('{"test": 2432232314}'),
    };
    expect(standardSignature(key, signed)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('takes a secret of another kind as it is', () => {
    expect(standardKey('whsec-demo').toString()).toBe('whsec-demo');
  });

  it.each(['', 'whsec_', 'whsec_AAAA', `whsec_${'A'.repeat(31)}!`, `whsec_${Buffer.alloc(65).toString('base64')}`])(
    'refuses the secret %j without repeating it',
    (secret) => {
      expect(() => standardKey(secret)).toThrow(expect.objectContaining({code: 'EVENT_SECRET'}));
      if (secret.length > 7) expect(() => standardKey(secret)).not.toThrow(secret);
    },
  );

  it('has ids without dots, and two ids never become one', () => {
    expect(webhookId('A-1_b:3')).toBe('A-1_b:3');
    expect(webhookId('device.alarm:D1')).toBe('device%2Ealarm:D1');
    expect(webhookId('device%2Ealarm:D1')).toBe('device%252Ealarm:D1');
    expect(webhookId('订单:1')).toBe('%E8%AE%A2%E5%8D%95:1');
  });
});

describe('the headers of an event', () => {
  const event = {...AT, eventId: 'A:1', type: 'order.created', path: '/', body: Buffer.from('{}'), secrets: ['one']};

  it('name the event, the caller and the time', () => {
    expect(eventHeaders({...event, apiKey: 'key'})).toMatchObject({
      'content-type': 'application/json',
      'x-api-key': 'key',
      'x-event-id': 'A:1',
      'x-event-type': 'order.created',
      'x-timestamp': AT.timestamp,
      'x-nonce': AT.nonce,
      'webhook-id': 'A:1',
      'webhook-timestamp': AT.timestamp,
    });
    expect(Object.keys(eventHeaders(event))).not.toContain('x-api-key');
  });

  it('hold a signature of each secret while secrets change', () => {
    const first = eventHeaders(event);
    const second = eventHeaders({...event, secrets: ['two']});
    const both = eventHeaders({...event, secrets: ['two', 'one']});
    expect(both['x-signature']).toBe(second['x-signature']);
    expect(both['x-signature-others']).toBe(first['x-signature']);
    expect(both['webhook-signature']).toBe(`${second['webhook-signature']} ${first['webhook-signature']}`);
    expect(first['x-signature-others']).toBeUndefined();
  });

  it('can hold any order number', () => {
    for (const value of Object.values(eventHeaders({...event, eventId: '订单 \u{1F600}:1', type: 'x\r\ny: z'}))) {
      expect(value).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});
