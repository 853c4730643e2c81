package sqlstore

import (
	"time"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sketch"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// The lengths of time that sums are kept for, in seconds.
const (
	minute = 60
	hour   = 3600
)

// key is what the requests of one sum have in common.
type key struct {
	organization         string
	resolution           int
	time                 int64
	project, environment string
	api, operation       string
	plan, application    string
	gateway              string
	status               int
	errorCode            string
}

// cell is one sum.
type cell struct {
	requests, refused           int64
	requestBytes, responseBytes int64
	max, newest                 int64
	apiName, operationName      string
	applicationName             string
	duration, gatewayTime       sketch.Sketch
}

// cells are sums by what they have in common.
type cells map[key]*cell

func (c cells) at(k key) *cell {
	have := c[k]
	if have == nil {
		have = &cell{}
		c[k] = have
	}
	return have
}

// add counts a record in its minute.
func (c cells) add(r *store.Row) {
	at := r.Time.Unix()
	x := c.at(key{
		organization: r.Organization, resolution: minute, time: at - at%minute,
		project: r.Project, environment: r.Environment, api: r.API, operation: r.Operation,
		plan: r.Plan, application: r.Application, gateway: r.Gateway, status: r.Status, errorCode: r.ErrorCode,
	})
	w := r.Weight
	x.requests += w
	if r.Refused {
		x.refused += w
	}
	x.requestBytes += w * r.RequestBytes
	x.responseBytes += w * r.ResponseBytes
	x.max = max(x.max, r.Duration)
	if us := r.Time.UnixMicro(); us >= x.newest {
		x.newest = us
		x.name(r.APIName, operationName(r), r.ApplicationName)
	}
	x.duration.Add(r.Duration, uint64(w))
	x.gatewayTime.Add(r.GatewayTime, uint64(w))
}

func operationName(r *store.Row) string {
	if r.Template == "" {
		return ""
	}
	return r.Method + " " + r.Template
}

func (c *cell) name(api, operation, application string) {
	c.apiName, c.operationName, c.applicationName = api, operation, application
}

// merge adds what another sum counted.
func (c *cell) merge(o *cell) {
	c.requests += o.requests
	c.refused += o.refused
	c.requestBytes += o.requestBytes
	c.responseBytes += o.responseBytes
	c.max = max(c.max, o.max)
	if o.newest >= c.newest {
		c.newest = o.newest
		c.name(o.apiName, o.operationName, o.applicationName)
	}
	c.duration.Merge(&o.duration)
	c.gatewayTime.Merge(&o.gatewayTime)
}

// hours returns the sums over hours of sums over minutes.
func (c cells) hours() cells {
	out := cells{}
	for k, x := range c {
		k.resolution, k.time = hour, k.time-k.time%hour
		out.at(k).merge(x)
	}
	return out
}

// rollup is a row of the table rollups.
type rollup struct {
	ID              string `gorm:"primaryKey"`
	OrganizationID  string
	Resolution      int
	TimeS           int64
	Merged          int
	Project         string
	Environment     string
	API             string
	Operation       string
	Plan            string
	Application     string
	Gateway         string
	Status          int
	ErrorCode       string
	APIName         string
	OperationName   string
	ApplicationName string
	Requests        int64
	Refused         int64
	RequestBytes    int64
	ResponseBytes   int64
	MaxUs           int64
	NewestUs        int64
	Duration        []byte
	GatewayTime     []byte
}

// TableName is for gorm.
func (rollup) TableName() string { return "rollups" }

func (c cells) rows(merged int) ([]*rollup, error) {
	out := make([]*rollup, 0, len(c))
	for k, x := range c {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		r := &rollup{
			ID: id.String(), OrganizationID: k.organization, Resolution: k.resolution, TimeS: k.time, Merged: merged,
			Project: k.project, Environment: k.environment, API: k.api, Operation: k.operation,
			Plan: k.plan, Application: k.application, Gateway: k.gateway, Status: k.status, ErrorCode: k.errorCode,
			APIName: x.apiName, OperationName: x.operationName, ApplicationName: x.applicationName,
			Requests: x.requests, Refused: x.refused, RequestBytes: x.requestBytes, ResponseBytes: x.responseBytes,
			MaxUs: x.max, NewestUs: x.newest,
		}
		if r.Duration, err = x.duration.AppendBinary(nil); err != nil {
			return nil, err
		}
		if r.GatewayTime, err = x.gatewayTime.AppendBinary(nil); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (r *rollup) key() key {
	return key{
		organization: r.OrganizationID, resolution: r.Resolution, time: r.TimeS,
		project: r.Project, environment: r.Environment, api: r.API, operation: r.Operation,
		plan: r.Plan, application: r.Application, gateway: r.Gateway, status: r.Status, errorCode: r.ErrorCode,
	}
}

func (r *rollup) cell() (*cell, error) {
	c := &cell{
		requests: r.Requests, refused: r.Refused, requestBytes: r.RequestBytes, responseBytes: r.ResponseBytes,
		max: r.MaxUs, newest: r.NewestUs, apiName: r.APIName, operationName: r.OperationName, applicationName: r.ApplicationName,
	}
	if err := c.duration.Decode(r.Duration); err != nil {
		return nil, err
	}
	return c, c.gatewayTime.Decode(r.GatewayTime)
}

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }
