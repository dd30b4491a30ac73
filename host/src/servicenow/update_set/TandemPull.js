/*
 * Pulls shares from Tandem, writes the tickets, and tells Tandem what became of each.
 *
 * GET  tandem.pull.retrieve_url?limit=N
 *      { "shares": [ { "id", "event_type", "incident_id", "table", "correlation_id", "sys_id" (of an update),
 *                      "fields": { column: text, or { "table", "by", "value" } for a reference } } ] }
 * POST tandem.pull.callback_url
 *      { "id", "event_type", "incident_id", and either "sys_id" and "number" or "error" }
 *
 * A share that is not answered comes again when its lease is over, so a ticket is always looked for before it is made.
 */
var TandemPull = Class.create();
TandemPull.prototype = {
    initialize: function() {
        this.retrieveUrl = gs.getProperty('tandem.pull.retrieve_url', '');
        this.callbackUrl = gs.getProperty('tandem.pull.callback_url', '');
        this.token = gs.getProperty('tandem.pull.token', '');
        this.count = parseInt(gs.getProperty('tandem.pull.count', '20'), 10) || 20;
        this.midServer = gs.getProperty('tandem.pull.mid_server', '');
    },

    /* Returns how many shares were answered. */
    run: function() {
        if (!this.retrieveUrl || !this.callbackUrl) {
            gs.warn('Tandem Pull: set tandem.pull.retrieve_url and tandem.pull.callback_url, or deactivate the job.');
            return 0;
        }
        var shares = this._retrieve();
        for (var i = 0; i < shares.length; i++) {
            this._answer(shares[i], this._write(shares[i]));
        }
        return shares.length;
    },

    _retrieve: function() {
        var response = this._send('get', this.retrieveUrl + '?limit=' + this.count, null);
        if (response.status !== 200) {
            gs.error('Tandem Pull: retrieving answered ' + response.status + '. ' + response.reason);
            return [];
        }
        try {
            return JSON.parse(response.body).shares || [];
        } catch (e) {
            gs.error('Tandem Pull: what was retrieved is not JSON: ' + e);
            return [];
        }
    },

    /* Returns the ticket, or why there is none. Never throws: one share must not stop the others. */
    _write: function(share) {
        try {
            var table = share.table || 'incident';
            var ticket = new GlideRecord(table);
            if (!ticket.isValid()) {
                return { error: 'there is no table ' + table };
            }
            var found = this._find(ticket, share);
            if (!found && share.sys_id) {
                return { error: 'there is no ' + table + ' with the sys_id ' + share.sys_id };
            }
            if (!found) {
                ticket.initialize();
                ticket.setValue('correlation_id', share.correlation_id);
                ticket.setValue('correlation_display', 'BigPanda');
            }
            this._fill(ticket, share.fields || {});
            var written = found ? ticket.update() : ticket.insert();
            if (!written) {
                return { error: 'ServiceNow refused the ticket: ' + (ticket.getLastErrorMessage() || 'no reason was given') };
            }
            return { sys_id: ticket.getUniqueValue(), number: ticket.getValue('number') };
        } catch (e) {
            return { error: 'the script failed: ' + e };
        }
    },

    /* An empty correlation would match every ticket that has none. */
    _find: function(ticket, share) {
        if (share.sys_id) {
            return ticket.get(share.sys_id);
        }
        if (!share.correlation_id) {
            throw 'the share has no correlation_id';
        }
        ticket.addQuery('correlation_id', share.correlation_id);
        ticket.orderBy('sys_created_on');
        ticket.setLimit(1);
        ticket.query();
        return ticket.next();
    },

    _fill: function(ticket, fields) {
        for (var name in fields) {
            if (!fields.hasOwnProperty(name) || !ticket.isValidField(name)) {
                continue;
            }
            var value = fields[name];
            if (value !== null && typeof value === 'object') {
                value = this._resolve(value);
            }
            /* Journals take a value only this way. */
            if (name === 'work_notes' || name === 'comments') {
                ticket[name] = value;
            } else {
                ticket.setValue(name, value);
            }
        }
    },

    /* A reference that names nothing leaves the field empty. */
    _resolve: function(reference) {
        var record = new GlideRecord(reference.table);
        if (!record.isValid() || !record.isValidField(reference.by)) {
            return '';
        }
        record.addQuery(reference.by, reference.value);
        record.setLimit(1);
        record.query();
        return record.next() ? record.getUniqueValue() : '';
    },

    _answer: function(share, result) {
        var answer = { id: share.id, event_type: share.event_type, incident_id: share.incident_id };
        for (var key in result) {
            answer[key] = result[key];
        }
        var response = this._send('post', this.callbackUrl, JSON.stringify(answer));
        if (response.status < 200 || response.status > 299) {
            gs.error('Tandem Pull: the answer about ' + share.incident_id + ' was refused with ' + response.status + '. ' + response.reason);
        }
    },

    _send: function(method, url, body) {
        var request = new sn_ws.RESTMessageV2();
        request.setEndpoint(url);
        request.setHttpMethod(method);
        request.setHttpTimeout(30000);
        request.setRequestHeader('Authorization', 'Bearer ' + this.token);
        request.setRequestHeader('Accept', 'application/json');
        if (this.midServer) {
            request.setMIDServer(this.midServer);
        }
        if (body !== null) {
            request.setRequestHeader('Content-Type', 'application/json');
            request.setRequestBody(body);
        }
        try {
            var response = request.execute();
            return { status: response.getStatusCode(), body: response.getBody(), reason: response.getErrorMessage() || '' };
        } catch (e) {
            return { status: 0, body: '', reason: String(e) };
        }
    },

    type: 'TandemPull'
};
