// Command orders is the one function of the example: an API of orders, as another team
// may have it. It knows nothing of keys and imports nothing of Latchkey. The authorizer
// before it has decided who may call; what that says of the caller comes with the event,
// and each answer with a body shows it.
//
// The orders are always the same ones, because there may be several processes of a
// function, and none can know what another has been told.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// An order is what somebody wants and how many of it.
type order struct {
	ID       string `json:"id,omitempty"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
}

var orders = []order{
	{ID: "1", Item: "a bicycle bell", Quantity: 2},
	{ID: "2", Item: "a spare wheel", Quantity: 1},
	{ID: "3", Item: "a repair kit", Quantity: 12},
}

// A caller is who the authorizer says that it is.
type caller struct {
	Namespace any `json:"namespace"`
	KeyID     any `json:"keyId"`
	KeyName   any `json:"keyName"`
}

func main() { lambda.Start(handle) }

func handle(_ context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	who, err := callerOf(request)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	switch request.RouteKey {
	case "GET /orders":
		return answer(http.StatusOK, map[string]any{"orders": orders, "caller": who})
	case "POST /orders":
		return create(request, who)
	}
	found, ok := find(request.PathParameters["id"])
	switch {
	case !ok:
		return answer(http.StatusNotFound, map[string]any{"message": "no such order", "caller": who})
	case request.RouteKey == "GET /orders/{id}":
		return answer(http.StatusOK, map[string]any{"order": found, "caller": who})
	case request.RouteKey == "DELETE /orders/{id}":
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNoContent}, nil
	}
	return events.APIGatewayV2HTTPResponse{}, errors.New("another route than those of orders")
}

// callerOf reads what the authorizer says of the caller. Without an authorizer nobody is
// served: then the function is deployed wrongly.
func callerOf(request events.APIGatewayV2HTTPRequest) (caller, error) {
	authorizer := request.RequestContext.Authorizer
	if authorizer == nil || authorizer.Lambda["keyId"] == nil {
		return caller{}, errors.New("no authorizer has said who calls")
	}
	told := authorizer.Lambda
	return caller{Namespace: told["namespace"], KeyID: told["keyId"], KeyName: told["keyName"]}, nil
}

// create answers as if the order were kept from now on.
func create(request events.APIGatewayV2HTTPRequest, who caller) (events.APIGatewayV2HTTPResponse, error) {
	body := []byte(request.Body)
	if request.IsBase64Encoded {
		// What does not decode is no JSON either.
		body, _ = base64.StdEncoding.DecodeString(request.Body)
	}
	var wanted order
	if err := json.Unmarshal(body, &wanted); err != nil || wanted.Item == "" || wanted.Quantity < 1 {
		return answer(http.StatusBadRequest, map[string]any{"message": "an order has an item and a quantity", "caller": who})
	}
	wanted.ID = "4"
	return answer(http.StatusCreated, map[string]any{"order": wanted, "caller": who})
}

func find(id string) (order, bool) {
	for _, o := range orders {
		if o.ID == id {
			return o, true
		}
	}
	return order{}, false
}

func answer(status int, body map[string]any) (events.APIGatewayV2HTTPResponse, error) {
	text, err := json.Marshal(body)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(text),
	}, err
}
