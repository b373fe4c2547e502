package access

// A Role is a named set of rights, by the name that its API gives it.
type Role string

// The roles of the namespaces API.
const (
	Admin           Role = "SYSTEM_ROLE_ADMIN"
	ReadOnly        Role = "SYSTEM_ROLE_READ_ONLY"
	PolicyEditor    Role = "SYSTEM_ROLE_POLICY_EDITOR"
	CodeScanner     Role = "SYSTEM_ROLE_CODE_SCANNER"
	EndorPatching   Role = "SYSTEM_ROLE_ENDOR_PATCHING"
	SyncOrg         Role = "SYSTEM_ROLE_SYNC_ORG"
	OnpremScheduler Role = "SYSTEM_ROLE_ONPREM_SCHEDULER"
	EndorProxy      Role = "SYSTEM_ROLE_ENDOR_PROXY"
	PackageFirewall Role = "SYSTEM_ROLE_PACKAGE_FIREWALL"
	AIAudit         Role = "SYSTEM_ROLE_AI_AUDIT"
)

// The roles of the workspaces API.
const (
	Owner  Role = "Owner"
	Editor Role = "Editor"
	Viewer Role = "Viewer"
)

var (
	everything = []clause{everyKindBut(All)}
	reading    = everyKindBut(Read)
)

// roles says what each role expands to. A role without clauses is a token: it
// means something to the product that it comes from, and nothing here.
var roles = map[Role][]clause{
	Admin:           everything,
	Owner:           everything,
	ReadOnly:        {reading},
	Viewer:          {reading},
	Editor:          {reading, everyKindBut(All, APIKey, ServiceAccount)},
	PolicyEditor:    {reading, onKinds(All, "Policy", "PolicyTemplate")},
	CodeScanner:     {reading, onKinds(All, "Project", "Repository", "Finding")},
	OnpremScheduler: {reading, onKinds(All, "Installation", "Project", "Namespace", "ScanRequest")},
	EndorPatching:   nil,
	SyncOrg:         nil,
	EndorProxy:      nil,
	PackageFirewall: nil,
	AIAudit:         nil,
}

// SystemRoles lists the roles of the namespaces API.
func SystemRoles() []Role {
	return []Role{
		Admin, ReadOnly, PolicyEditor, CodeScanner, EndorPatching,
		SyncOrg, OnpremScheduler, EndorProxy, PackageFirewall, AIAudit,
	}
}
